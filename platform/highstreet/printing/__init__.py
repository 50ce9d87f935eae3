"""Printed matter: designs of head office's with areas that stores fill, set by typst.

A mailing hands over pieces (`pieces.Piece`) and an approved version of a design; `preflight` says
what to mend, `proofing` shows the worst cases, `writing` makes the files for the printer.
"""
