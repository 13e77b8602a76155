"""Messages with what a reader took them for: written once for `benchmarks.affect`, before the
rules had seen them, and not changed since.

Each is (text, valence -1, 0 or 1, frustrated). Labels are one reader's.
"""

from __future__ import annotations

from typing import Final

ENGLISH: Final[tuple[tuple[str, int, bool], ...]] = (
    ("I've called three times this week and nobody calls me back.", -1, True),
    ("The delivery came a day early, what a nice surprise!", 1, False),
    ("My appointment is on Tuesday at ten.", 0, False),
    ("Why do I have to enter my address again? I did that yesterday.", -1, True),
    ("My grandmother died last night and I can't stop crying.", -1, False),
    ("I just got the job, I'm over the moon!", 1, False),
    ("Can you remind me to buy milk on the way home?", 0, False),
    ("This app logs me out every five minutes, it's driving me up the wall.", -1, True),
    ("I am scared of the operation tomorrow.", -1, False),
    ("Great, another update that breaks everything.", -1, True),
    ("Thank you so much, that solved it.", 1, False),
    ("The train leaves from platform four.", 0, False),
    ("I SAID NO ONIONS. How hard can it be?", -1, True),
    ("My son learned to ride his bike today and we are so proud of him.", 1, False),
    ("I've been on hold for fifty minutes now.", -1, True),
    ("I feel lonely since the kids moved out.", -1, False),
    ("Please change the language to French.", 0, False),
    ("You people have no idea what you are doing.", -1, True),
    ("It was a lovely evening with old friends.", 1, False),
    ("My knee hurts when I climb the stairs.", -1, False),
    ("The password reset mail still hasn't arrived.", -1, True),
    ("I take two tablets in the morning and one at night.", 0, False),
    ("I don't hate it, it is just not my colour.", 0, False),
    ("Whatever I do, the printer refuses to print. I give up.", -1, True),
    ("Not bad at all, I would come again.", 1, False),
    ("We are moving to Leeds in spring.", 0, False),
    ("This is the last time I order from you.", -1, True),
    ("I miss my dog terribly.", -1, False),
    ("The new physio is wonderful, I can lift my arm again.", 1, False),
    ("Is it going to rain on Sunday?", 0, False),
    ("For the love of god, just let me talk to someone real.", -1, True),
    ("I was worried, but the results are fine.", 1, False),
    ("He works in a hospital as a porter.", 0, False),
    ("Your chat bot keeps giving me the same useless answer.", -1, True),
    ("I failed the exam and I'm ashamed to tell my parents.", -1, False),
    ("I love how quiet the garden is in the morning.", 1, False),
    ("There are six chairs and one table in the room.", 0, False),
    ("How many more forms do you want me to fill in??", -1, True),
    ("Yay, the kitten is finally eating!!!", 1, False),
    ("I killed it at the interview today.", 1, False),
    ("The movie was about a war and a bad king.", 0, False),
    ("Nothing works, not even the button you told me to press.", -1, True),
    ("I'm a bit tired but happy.", 1, False),
    ("My neighbour plays loud music until two, I can't take it any more.", -1, True),
    ("It's fine.", 0, False),
    ("The refund was promised for Monday. It is Friday.", -1, True),
    ("I have felt empty and worthless for weeks.", -1, False),
    ("The cake was delicious and everyone had fun.", 1, False),
)

OTHERS: Final = (
    "Ich warte seit drei Wochen auf eine Antwort, das ist eine Frechheit!",
    "Der Hund war krank, aber jetzt geht es ihm besser.",
    "J'en ai marre, ça ne marche jamais.",
    "Le gâteau était délicieux, merci beaucoup.",
    "Llevo una hora esperando y nadie contesta.",
    "Me encanta el jardín por la mañana.",
    "Sono stufo di questo servizio.",
    "Estou muito feliz com o resultado.",
    "Ik ben heel blij met mijn nieuwe fiets.",
    "Jag är så trött på det här.",
    "Nie działa i nikt nie odpowiada!",
    "Bu hizmet çok kötü, sinirliyim.",
    "Мне очень нравится этот город.",
    "もう三回も電話しました。",
    "أنا غاضب جدا من هذه الخدمة",
    "Jeg er fed up med at vente på jer.",
)
