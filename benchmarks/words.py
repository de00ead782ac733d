"""Original sentences and words for the synthetic pages, mixed the same way on every machine.

Everything here was written for this project. Sentences carry slots such as `{name}` that are filled
from small lists, so that no two pages read alike although the stock is short. All characters are in
WinAnsi, the encoding of the standard PDF fonts.
"""

import random
import re
from collections.abc import Iterator


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


NAMES = _listed(
    "Adele Varnish, Bruno Okafor, Carla Whitmore, Dmitri Holm, Esther Quayle, Femi Lindqvist, "
    "Greta Pomeroy, Hugo Tallis, Ines Marchetti, Jonas Fairweather, Katrin Blom, Louis Abernathy"
)
PLACES = _listed(
    "Harrowgate, Port Ellery, Lindenau, Saint-Aubry, Westmark, Dunmore, Kessel, Oakhaven, Vireux, "
    "Nordhafen, Millbrook, Ashby"
)
GOODS = _listed(
    "copper pipe, roof tiles, garden hose, oak boards, wall paint, steel bolts, window glass, "
    "lamp oil, printer paper, wool blankets, brass hinges, cement, ladder, work gloves, filter "
    "box, cable drum, hand pump, tool chest"
)

ENGLISH = (
    "The harbour office opens at seven, and by {number} minutes past the first boats are unloaded.",
    "{name} wrote to the council twice; neither letter was answered before the end of {month}.",
    "Nobody in {place} remembers who planted the orchard, yet everyone knows when it bears fruit.",
    "A good map does not show everything: it leaves out what would only slow the reader down.",
    "Rain fell on {number} of the following days, so the bridge was painted in small sections.",
    "When the lamp went out, {name} counted the steps, turned left, and found the door at once.",
    "The museum keeps {number} clocks, of which only three still run (two of them fast).",
    "Please return the key before noon; otherwise the guard will charge a fee of {amount}.",
    "Most visitors walk past the stone without noticing the date that is carved into its side.",
    "It took {name} a whole winter to repair the loom, mostly because the parts were lost.",
    "In {place}, bread is still weighed on brass scales and wrapped in plain brown paper.",
    "Every engine has a sound of its own, and a patient mechanic learns to hear the difference.",
    "The report, signed on {day} {month}, covers storage, transport and the price of fuel.",
    "Why the river changed its course is unknown; old charts show it far to the west of {place}.",
    "Take the second path after the mill, keep the hedge to your right, and do not hurry.",
    "{name} asked for {number} copies, received half of them, and never mentioned it again.",
    "Fresh snow makes the valley quiet, so that one hears the train long before it arrives.",
    "The committee agreed on a budget of {amount}, which was less than anyone had hoped for.",
    "Old paper turns yellow at the edges first, because that is where light and air reach it.",
    "Between {place} and the coast there is one inn, and its kitchen closes at half past eight.",
    "A quick sketch of the jigsaw puzzle showed exactly why five boxes would never fit.",
    "They measured the field again and found it {number} metres longer than the deed allowed.",
    "What the letter did not say was more interesting: no sum, no date, and no second witness.",
    "Keep the jars closed, dry and dark; the seeds inside will last for at least {number} years.",
)
GERMAN = (
    "Der Fährmann wartete, bis auch der letzte Gast über die nasse Brücke gekommen war.",
    "{name} schließt die Werkstatt um {number} Uhr, außer an Tagen mit größeren Aufträgen.",
    "Für das Fest in {place} wurden zwölf Körbe Äpfel und {number} Gläser Süßmost bestellt.",
    "Ob die Straße im {monat} wieder geöffnet wird, hängt vom Wetter und vom Geld ab.",
    "Die Prüfung dauert höchstens {number} Minuten; Wörterbücher dürfen benutzt werden.",
    "Übermäßige Hitze schadet den Geräten, deshalb müssen die Lüfter täglich geprüft werden.",
    "Im Keller fand {name} eine Kiste mit Briefen, Schlüsseln und einem rostigen Maßband.",
    "Wer früh aufsteht, hört die Vögel, bevor der Lärm der Züge das Tal erfüllt.",
    "Der Betrag von {amount} ist ohne Abzug bis zum {day}. {monat} zu überweisen.",
    "Ärzte, Bäcker und Gärtner aus {place} gründeten einen Verein für sauberes Wasser.",
    "Jeder Schüler erhält ein Heft, zwei Bleistifte und – falls nötig – einen Radiergummi.",
    "Das Gehäuse besteht aus Stahl, die Füße aus Gummi und der Griff aus geöltem Holz.",
    "Öffnen Sie das Ventil langsam, sonst entsteht ein gefährlicher Überdruck im Rohr.",
    "Nach {number} Jahren kehrte {name} zurück und erkannte weder Haus noch Garten.",
    "Quer durch den Wald führt ein schmaler Weg, den nur noch Jäger und Füchse benutzen.",
    "Die Rechnung weist {amount} aus; darin sind Fracht und Verpackung bereits enthalten.",
)
FRENCH = (
    "Le marché de {place} ouvre à huit heures, même lorsque la neige couvre les étals.",
    "{name} a réparé l'horloge en {number} jours, sans jamais démonter le grand cadran.",
    "Où est passée la clé ? Personne ne le sait, mais chacun a déjà son idée.",
    "Le cœur du village bat près de la fontaine, là où l'on vend des œufs et du miel.",
    "« Gardez la monnaie », dit le passeur en français, puis il détacha la corde usée.",
    "Il faut {number} mètres de toile pour couvrir la forêt de châssis derrière l'école.",
    "La facture s'élève à {amount}, payable avant la fin du mois de {mois}.",
    "Dès le mois de {mois}, les bœufs descendent lentement vers les prés de {place}.",
    "L'été dernier, la sœur de {name} a peint la façade, les volets et le vieux portail.",
    "Ce n'est ni le prix ni la qualité qui gêne, mais le délai : {number} semaines.",
    "À l'hôtel, on sert le café trop tôt et le dîner bien après le coucher du soleil.",
    "Un élève appliqué relève chaque détail, vérifie les chiffres et signe au bas de la page.",
    "Le maçon plaça la dernière pierre, leva son verre et but à la santé des voisins.",
    "Voilà pourquoi l'île n'apparaît sur aucune carte tracée avant l'année 18{number}.",
    "Après l'orage, le chemin était coupé ; {name} dut passer par la crête, à pied.",
    "Les pêcheurs de {place} connaissent le récif, aperçu une seule fois à marée très basse.",
)
TYPOGRAPHY = (
    "“Leave it,” said {name} — and nobody touched the box until {month}.",
    "The years 1987–1994 were dry; ‘dry’, that is, by the standards of {place}.",
    "Section § 14 (b) allows a tolerance of ± 0.5 mm at 20 °C … but no more.",
    "„Bitte warten“, stand an der Tür • darunter: « Attendez ici ».",
    "Costs rose by 12 % – from £{number}.50 to €{number}.80 – within a year.",
    "Model names © {place} Works™ 2019; see note †, and the list on page {number}.",
    "A crème brûlée, a piñata, a façade: the sign-painter’s favourite words.",
    "Flow is 3 × 4.5 m³ per hour & never ¼ less – don’t open the valve.",
)
MONTHS = _listed(
    "January, February, March, April, May, June, July, August, September, October, November, "
    "December"
)
MONATE = _listed(
    "Januar, Februar, März, April, Mai, Juni, Juli, August, September, Oktober, November, Dezember"
)
MOIS = _listed(
    "janvier, février, mars, avril, mai, juin, juillet, août, septembre, octobre, novembre, "
    "décembre"
)
NO_BREAK = "\u00a0"
"""A space at which a line is not broken; it is drawn, and expected, as a plain space."""
STOCK = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "typography": TYPOGRAPHY}


class Prose:
    """An endless, seeded source of sentences, headings and figures in one language."""

    def __init__(self, seed: str, language: str = "en") -> None:
        # A string seed is hashed with SHA-512 by `random`, so it is the same on every machine.
        self.random = random.Random(seed)
        self._language = language
        self._sentences = self._shuffled()

    def sentence(self) -> str:
        """Return the next sentence with its slots filled."""
        return self._filled(next(self._sentences))

    def paragraph(self, sentences: int = 4) -> str:
        """Return several sentences as one paragraph."""
        return " ".join(self.sentence() for _ in range(sentences))

    def heading(self, words: int = 4) -> str:
        """Return the first words of a sentence, without the punctuation around them."""
        found = re.findall(r"[\w'-]+", self.sentence())
        return " ".join(found[:words])

    def name(self) -> str:
        """Return the name of a person who does not exist."""
        return self.random.choice(NAMES)

    def place(self) -> str:
        """Return the name of a town that does not exist."""
        return self.random.choice(PLACES)

    def goods(self) -> str:
        """Return something that can be bought."""
        return self.random.choice(GOODS)

    def digits(self, count: int) -> str:
        """Return `count` digits, the first of which is not zero."""
        return str(self.random.randint(10 ** (count - 1), 10**count - 1))

    def amount(self) -> str:
        """Return a sum of money as the language writes it, with its currency."""
        whole, cents = self.random.randint(11, 98_999), self.random.randint(0, 99)
        if self._language == "en":
            return f"${whole:,}.{cents:02d}"
        grouped = f"{whole:,}".replace(",", "." if self._language == "de" else NO_BREAK)
        return f"{grouped},{cents:02d}{NO_BREAK}€"

    def date(self) -> str:
        """Return a day as an ISO date."""
        day = self.random.randint(1, 28)
        return f"20{self.random.randint(10, 29)}-{self.random.randint(1, 12):02d}-{day:02d}"

    def _filled(self, sentence: str) -> str:
        bound = re.sub(r" (?=[;:?!»€])|(?<=«) ", NO_BREAK, sentence)
        return bound.format(
            name=self.name(),
            place=self.place(),
            number=self.random.randint(10, 98),
            day=self.random.randint(1, 28),
            amount=self.amount(),
            month=self.random.choice(MONTHS),
            monat=self.random.choice(MONATE),
            mois=self.random.choice(MOIS),
        )

    def _shuffled(self) -> Iterator[str]:
        while True:
            sentences = list(STOCK[self._language])
            self.random.shuffle(sentences)
            yield from sentences
