"""What is kept of somebody goes where they go: merged, parted, shown, forgotten."""

from __future__ import annotations

from highstreet.kit.town import Town
from highstreet_direct_mail import answers
from highstreet_direct_mail.models import Scan

from .conftest import codes, reach, send


def test_codes_go_with_their_customer(town: Town) -> None:
    shop = town.brands["quarry"].shops[0]
    ann, bea = reach(shop, "Ann Quill", "1 High Street"), reach(shop, "Bea Quin", "2 High Street")
    with shop.ctx(write=True) as ctx:
        code = codes(ctx, send(ctx))
        answers.redeem(ctx, code[bea.id])
        answers.redeem(ctx, code[ann.id])
    shop.merge(ann, bea)
    told = shop.export(ann)["tools"]["direct_mail"]["scans"]
    assert sorted(one["code"] for one in told) == sorted(code.values())
    with shop.ctx() as ctx:
        fields = ctx.fields.read(["direct_mail.responses"], [ann.id])
        assert fields[ann.id]["direct_mail.responses"] == 2
    shop.unmerge(bea)
    (own,) = shop.export(bea)["tools"]["direct_mail"]["scans"]
    assert own["code"] == code[bea.id]
    counts = shop.erase(bea)
    with shop.session() as s:
        rows = {one.code: one.customer_id for one in s.query(Scan)}
    assert rows == {code[ann.id]: ann.id, code[bea.id]: None}
    assert counts
