"""The control plane: tables that must be read before a scope exists. They hold no customer data."""

CONTROL_TABLES = frozenset(
    {
        "core_brand",
        "core_user",
        "core_user_session",
        "core_account_event",
        "core_second_factor",
        "core_recovery_code",
        "core_one_time_link",
        "core_role_grant",
        "core_api_key",
        "core_sign_in_attempt",
        "core_till_device",
        "core_staff_pin",
        "core_member_link",
        "core_job",
        "core_runner",
        "core_schedule_mark",
    }
)
"""Named one by one, and compared with the metadata by a test: a new one is a decision."""
