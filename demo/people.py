"""Made-up people: names, mail addresses, consents and cards, each a pure function of a household's number."""

import unicodedata
from dataclasses import dataclass
from hashlib import sha256

from stdnum import ean

# First names, women's and men's, and family names in a man's and a woman's form. All are common in their
# country; together they name nobody in particular.
NAMES: dict[str, tuple[str, str, str, str]] = {
    "en": (
        "Olivia Grace Emma Charlotte Amelia Hannah Ruth Alice Martha Lucy Eleanor Nora Violet Josephine Clara",
        "James Henry Oliver Samuel Thomas Arthur Edward Walter Daniel Patrick Simon Hugh Ralph Martin Leonard",
        "Baker Carter Fletcher Marsh Holloway Whitfield Bennett Cooper Hughes Morgan Palmer Reed Sutton Turner Wallace Winters Young Brooks Chambers Doyle",
        "",
    ),
    "cs": (
        "Žofie Eliška Tereza Kateřina Markéta Lucie Zdeňka Růžena Barbora Štěpánka Alžběta Jiřina Naděžda Hana Věra",
        "Jiří Tomáš Ondřej Lukáš Václav Zdeněk Matěj Vojtěch Štěpán Přemysl Řehoř Miloš Bedřich Luděk Kryštof",
        "Novák Dvořák Černý Procházka Kučera Veselý Horák Němec Pospíšil Hájek Jelínek Růžička Beneš Fiala Sedláček Doležal Kříž Šimek Říha Zeman",
        "Nováková Dvořáková Černá Procházková Kučerová Veselá Horáková Němcová Pospíšilová Hájková Jelínková Růžičková Benešová Fialová Sedláčková Doležalová Křížová Šimková Říhová Zemanová",
    ),
    "sk": (
        "Zuzana Ľubica Božena Jarmila Miroslava Želmíra Oľga Katarína Daniela Júlia Ľudmila Vierka Anežka Mária Soňa",
        "Ján Ľuboš Štefan Juraj Matúš Ľubomír Dušan Rastislav Vladimír Ďuro Jozef Peter Andrej Radoslav Boleslav",
        "Horváth Kováč Varga Tóth Nagy Baláž Molnár Szabó Balog Lukáč Polák Hudák Ďurica Ševčík Krajčír Vaľko Oravec Ďurčo Bielik Šťastný",
        "Horváthová Kováčová Vargová Tóthová Nagyová Balážová Molnárová Szabóová Balogová Lukáčová Poláková Hudáková Ďuricová Ševčíková Krajčírová Vaľková Oravcová Ďurčová Bieliková Šťastná",
    ),
    "pl": (
        "Małgorzata Agnieszka Żaneta Łucja Grażyna Elżbieta Bożena Zofia Jadwiga Wiesława Halina Kinga Stanisława Urszula Teresa",
        "Łukasz Paweł Michał Wojciech Krzysztof Grzegorz Rafał Sławomir Władysław Bartłomiej Zbigniew Świętosław Józef Marek Jerzy",
        "Kowalski Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jabłoński Mazur Krawczyk Piotrowski Grabowski Pająk Żak Łuczak Ćwikliński Góral",
        "Kowalska Wiśniewska Wójcik Kamińska Lewandowska Zielińska Szymańska Woźniak Dąbrowska Kozłowska Jabłońska Mazur Krawczyk Piotrowska Grabowska Pająk Żak Łuczak Ćwiklińska Góral",
    ),
}
LANGUAGES = tuple(NAMES)

CONSENTS = (
    "",
    "print:catalog profiling",
    "email:offers profiling",
    "email:offers print:catalog",
    *["email:offers print:catalog profiling"] * 6,
)
"""What members agreed to: one in ten gives none, six in ten agree to all."""

CARD_PREFIX = "29"
UNWRITABLE = str.maketrans({"ł": "l", "Ł": "L"})
"""Letters that do not decompose into a Latin letter and a mark."""


@dataclass(frozen=True, slots=True)
class MadeUpPerson:
    """A member who does not exist."""

    given_name: str
    family_name: str
    email: str
    language: str
    consents: str


def made_up_person(household: int) -> MadeUpPerson:
    """Return the same person for the same household, always."""
    draw = sha256(f"Regulars demonstration {household}".encode()).digest()
    language = LANGUAGES[draw[0] % len(LANGUAGES)]
    women, men, his, hers = NAMES[language]
    is_woman = draw[1] % 2 == 0
    given = _one_of(women if is_woman else men, draw[2])
    family = _one_of((hers or his) if is_woman else his, draw[3])
    mailbox = f"{_ascii(given)}.{_ascii(family)}.{household}".lower()
    return MadeUpPerson(
        given, family, f"{mailbox}@example.com", language, CONSENTS[household % len(CONSENTS)]
    )


def card_number(household: int) -> str:
    """Return the in-house EAN-13 of the household's card."""
    digits = f"{CARD_PREFIX}{household:010d}"
    return digits + ean.calc_check_digit(digits)


def _one_of(names: str, number: int) -> str:
    choice = names.split()
    return choice[number % len(choice)]


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.translate(UNWRITABLE))
    return plain.encode("ascii", "ignore").decode()
