"""The surname in a name: who, at one door, are one household.

Names are one text each, so this is a rule of thumb, written down in docs/addresses.md, and the
same name always gives the same. Two surnames at one door are two households.
"""

import hashlib
import re
from uuid import UUID

from highstreet.customers.keys import name_key

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
# A name's own marks: O'Brien is one word, and so is Smith-Jones.
_INSIDE = re.compile(r"(?<=\w)['`\u00b4\u2018\u2019\uff07\-\u2010-\u2013\uff0d](?=\w)")
#: What follows a surname.
_AFTER = frozenset(
    "jr jnr junior sr snr senior ii iii iv phd md esq obe mbe family familie".split()
)
#: What belongs to the surname after it.
_BEFORE = frozenset(
    "van von der den de da di du del della della dos das do la le los las ten ter te zu zum zur af"
    " av al el bin ben ibn bint st saint mc mac o ap y".split()
)
#: Chinese surnames of two characters; Korean ones of two syllables.
_TWO = frozenset(
    "欧阳 歐陽 司马 司馬 诸葛 諸葛 上官 夏侯 皇甫 东方 東方 尉迟 尉遲 公孙 公孫 慕容 令狐 司徒 宇文"
    " 长孙 長孫 端木 百里 南宫 南宮 轩辕 軒轅 钟离 鍾離 闻人 聞人 公冶 太史 申屠 独孤 獨孤"
    " 呼延 第五 남궁 황보 제갈 선우 독고 사공 서문".split()
)


def surname(name: str, country: str = "") -> str:
    """The surname in a display name, folded (accents and case off); empty where there is none.

    Before a comma stands the surname. In letters that are written without blanks the surname comes
    first: before a blank if there is one, else two characters where they are a surname of two or
    the address is in Japan, else one. In all others it is the last word, with what belongs before
    it ("van der") and without what follows it ("Jr").

    country: of the address, ISO 3166 alpha-2.
    """
    before, comma, after = name.partition(",")
    if comma and before.strip() and not _is_after(after):
        name = before
    words = name_key(_INSIDE.sub("", name)).split()
    if not words:
        return ""
    if _UNSPACED.match(words[0]):
        first = words[0]
        if len(words) > 1:
            return first
        two = first[:2]
        is_two = two in _TWO or (country == "JP" and len(first) > 2)
        return two if is_two else first[:1]
    while len(words) > 1 and words[-1] in _AFTER:
        words.pop()
    start = len(words) - 1
    while start > 1 and words[start - 1] in _BEFORE:
        start -= 1
    if comma and start == 1 and words[0] in _BEFORE:
        start = 0  # "de Vries, Jan"
    return "".join(words[start:])


def _is_after(text: str) -> bool:
    words = name_key(text).split()
    return bool(words) and all(word in _AFTER for word in words)


def surname_key(name: str, country: str, customer_id: UUID) -> str:
    """The key of the household's surname: 32 hexadecimal digits. Whoever has no name is a household
    of their own."""
    said = surname(name, country) or customer_id.hex
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
