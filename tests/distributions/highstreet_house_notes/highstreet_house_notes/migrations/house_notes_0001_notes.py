"""Notes."""

import sqlalchemy as sa
from alembic import op
from highstreet.sdk import UTCDateTime

revision = "house_notes_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "house_notes_note",
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "store_id"],
            ["core_store.brand_id", "core_store.id"],
            name=op.f("fk_house_notes_note_brand_id_store_id_core_store"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["core_brand.id"], name=op.f("fk_house_notes_note_brand_id_core_brand")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_house_notes_note")),
    )
    with op.batch_alter_table("house_notes_note") as batch:
        batch.create_index(
            batch.f("ix_house_notes_note_brand_id_store_id_written_at"),
            ["brand_id", "store_id", "written_at"],
        )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("house_notes_note")
