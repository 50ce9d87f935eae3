"""Made-up members, and who shows a card. The same household is the same person in every run.

The extract knows each basket's household, for it is made of a club's own records. A till does not:
some people never join, and those who have joined do not always show their card.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from unicodedata import normalize

from msgspec import Struct
from stdnum import ean

FIRST = """Ada Aisha Alan Alma Amir Ana Anders Anika Arturo Astrid Bao Beatriz Ben Bianca Bruno
Camille Carla Carlos Chen Chloe Clara Conor Daniel Daria Diego Elena Eli Elif Emeka Emma Erik Esther
Farah Felix Fiona Gabriel Gita Grace Hana Hassan Helena Henry Hugo Ingrid Iris Isaac Ivan Jada Jakub
Jamal James Jin Joana Jonas José Julia Kai Karin Keiko Kofi Lars Layla Leo Lina Louis Lucía Luka
Magda Malik Maria Marta Mateo Maya Mei Mila Mina Mohammed Nadia Naomi Nia Nils Noah Nora Olga Omar
Oscar Pablo Paula Pedro Petra Priya Rafael Rania Rosa Ruth Sadia Samuel Sara Selin Sofia Stefan Suda
Tara Tariq Thomas Tomás Uma Vera Victor Wanda Wei William Xenia Yara Yusuf Zoe Zofia""".split()

LAST = """Abbott Adeyemi Ahmed Almeida Andersson Araujo Baker Banerjee Barros Becker Bello Bianchi
Blake Bondar Brandt Brown Campbell Castillo Chan Chaudhry Choi Cohen Costa Cruz Dahl Davies Demir
Diallo Dubois Duarte Edwards Eklund Evans Farouk Fernández Fischer Flores Foster Fujita García Gill
Gomes Green Gupta Haddad Hall Hansen Harris Hayashi Hernández Hill Hoffmann Hughes Ibrahim Ito
Ivanova Jackson Jansen Jensen Johansson Jones Kamara Kaplan Kelly Khan Kim Klein Kowalski Kumar
Laurent Lee Lewis Li Lopes López Lund Martin Mendes Meyer Miller Mitchell Moreau Morgan Müller
Murphy Mwangi Nakamura Nguyen Nielsen Novak Núñez Obi Okoye Oliveira Olsen Osei Park Patel Pereira
Petersen Phillips Popescu Quinn Rahman Ramos Reid Reyes Ricci Roberts Rossi Russo Saito Sánchez
Santos Schmidt Scott Shah Silva Singh Smith Sousa Suzuki Tan Taylor Torres Turner Varga Vargas Vega
Walker Wang Watson Weber White Wilson Wong Wright Yamada Yılmaz Young Zhang Zimmermann""".split()

#: Area codes of no real use beside 555-0100 … 0199, the numbers kept free for fiction.
AREAS = ("212", "213", "312", "404", "415", "503", "612", "614", "702", "713", "801", "907")

#: Chance that somebody joins, if they came once and for little: and what makes it more likely. Who
#: comes often is asked often, and who buys much has more of it.
JOINS = 0.3
JOINS_FOR_VISIT = 0.03
JOINS_FOR_MINOR = 0.0001
JOINS_AT_MOST = 0.95

#: Chance that a member shows no card, and at a small purchase, for which few look for one.
WITHOUT_CARD = 0.05
WITHOUT_CARD_SMALL = 0.3
SMALL_MINOR = 1_000

#: EAN numbers from 20 to 29 are for use inside shops.
CARDS = "29"


class Person(Struct, frozen=True):
    """A made-up member; what they did not want to give is None."""

    name: str
    card: str
    phone: str | None
    email: str | None
    birthday: date | None
    language: str


def person(brand: str, household: str, number: int, family: str = "") -> Person:
    """The member that ``household`` is in ``brand``; ``number`` counts the realm's members, and
    ``family`` is the surname of somebody whom they live with.

    Phone numbers are of the range kept free for fiction, e-mail addresses of example.org, cards
    club cards of the in-store range with their check digit.
    """
    dice = Random(f"highstreet demo {brand} {household}")
    first, last = dice.choice(FIRST), dice.choice(LAST)
    last = family or last
    body = f"{CARDS}{dice.randrange(10**10):010d}"
    area, line = AREAS[number // 100 % len(AREAS)], number % 100
    birthday = date(1945, 1, 1) + timedelta(days=dice.randrange(60 * 365))
    return Person(
        name=f"{first} {last}",
        card=body + ean.calc_check_digit(body),
        phone=f"+1 {area} 555 01{line:02d}" if dice.random() < 0.8 else None,
        email=f"{_plain(first)}.{_plain(last)}.{household}@example.org"
        if dice.random() < 0.6
        else None,
        birthday=birthday if dice.random() < 0.5 else None,
        language="es" if dice.random() < 0.1 else "en",
    )


def joins(brand: str, household: str, visits: int, mean_minor: int) -> bool:
    """Whether a household is one of the club's, by how often it comes and its mean basket."""
    chance = JOINS + JOINS_FOR_VISIT * visits + JOINS_FOR_MINOR * mean_minor
    return Random(f"joins {brand} {household}").random() < min(chance, JOINS_AT_MOST)


def shows_card(brand: str, basket: str, total_minor: int) -> bool:
    """Whether a member shows the card with a basket."""
    without = WITHOUT_CARD_SMALL if total_minor < SMALL_MINOR else WITHOUT_CARD
    return Random(f"card {brand} {basket}").random() >= without


def _plain(name: str) -> str:
    folded = normalize("NFKD", name.replace("ı", "i")).encode("ascii", "ignore").decode()
    return folded.casefold()
