"""The verbs of the room: the only way in which customers are written."""

from highstreet.customers.batch import enrol_batch
from highstreet.customers.dismissing import dismiss_pair, restore_pair
from highstreet.customers.enrolment import KEEP, Keep, add_note, enrol, remove_note, update
from highstreet.customers.fields import define as define_field
from highstreet.customers.fields import retire as retire_field
from highstreet.customers.identities import add as add_identity
from highstreet.customers.identities import remove as remove_identity
from highstreet.customers.identities import set_card_status
from highstreet.customers.leaving import erase, export, whole
from highstreet.customers.merging import merge
from highstreet.customers.registering import issue_card
from highstreet.customers.unmerging import unmerge

__all__ = [
    "KEEP",
    "Keep",
    "add_identity",
    "add_note",
    "define_field",
    "dismiss_pair",
    "enrol",
    "enrol_batch",
    "erase",
    "export",
    "issue_card",
    "merge",
    "remove_identity",
    "remove_note",
    "restore_pair",
    "retire_field",
    "set_card_status",
    "unmerge",
    "update",
    "whole",
]
