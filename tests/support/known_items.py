"""Forty papers of the recorded responses, each asked for by its idea and not in its words.

The papers are a random sample, and the questions were written before any of them was tried. Of the
first try 26 were in the first ten. Every other one, from the first, was then used to add synonyms
(11 of 20, now 18); no synonym was added for the rest, though the ranks of the first try were seen
(15 of 20, before and after). So 33 of 40 are found, and 15 of 20 is what to expect of a question
that nobody has tried.
"""

KNOWN_ITEMS = {
    "2406.05981": "replace costly multiply operations in language models by bit shifts and sums",
    "2510.02283": "making films of a minute or longer without the picture falling apart",
    "2410.18072": "can text-to-video generators stand in for a physical environment simulator",
    "2605.09266": "physics exam questions as diagrams: do models really look at the picture",
    "2510.00536": (
        "less memory for screen operating agents by dropping redundant cached screenshots"
    ),
    "2608.00486": "predict how a thing moves and turns in space when a robot handles it",
    "2503.10637": "few-step image generators lose variety compared with the teacher",
    "2408.02373": "assistant that fills in forms without leaking private information",
    "2412.11768": "train networks with plain SGD instead of adaptive optimizers",
    "2510.01691": "judging whether hospital scans are of good enough quality",
    "2503.09368": "store photos in extremely few bits while they still look good",
    "2505.14246": (
        "teaching vision models to use tools such as searching and cropping pictures by rewards"
    ),
    "2512.07222": "ignoring words like of and the makes models harder to attack",
    "2509.21317": "tell the recommender feed in plain language what you want to see",
    "2509.25045": "read out which concepts are inside the hidden states of a language model",
    "2608.08888": "feeding top layer states back into lower layers of the network",
    "2503.02191": "when do open source discussions turn rude",
    "2608.10615": "continuous relaxation for diffusion over categorical tokens that solves sudoku",
    "2505.15772": "automatic labels of feeling in voice recordings",
    "2601.02204": (
        "a single decoder that both understands and draws images in interleaved documents"
    ),
    "2406.06282": "run big models on a phone",
    "2503.05638": "change the viewpoint of an existing movie shot",
    "2506.01952": "tedious chores on websites that need memory and calculation",
    "2412.13746": "which judge prefers the right answers when documents are retrieved",
    "2505.13103": "repair software vulnerabilities for almost no money",
    "2608.06714": "let the model itself decide what to try next when tuning prompts and programs",
    "2509.26346": "scoring how well a picture was changed according to the instruction",
    "2503.07536": "make small vision models reason by first training on text only",
    "2608.06013": (
        "one model that recognizes human feelings, explains them and responds with empathy"
    ),
    "2509.21114": "hairstyles of cartoon characters in 3D",
    "2605.11424": "rebuild a scene from just a few photographs with the help of video generators",
    "2605.29588": "what is a person seeing, answered from brain scans",
    "2606.01057": "write scripts that model three dimensional objects",
    "2603.29640": "machines doing machine learning research by themselves",
    "2603.26164": "choose, mix and weight training examples during training of llms",
    "2510.02295": "sparse attention for understanding long movies",
    "2606.01311": "repair an agent's skills by finding the step that failed",
    "2605.30611": "draw diagrams for scientific articles that can still be edited",
    "2505.24760": "endless automatically generated puzzles with checkable answers",
    "2606.02580": "recover a 3D scene from a photo as a program for a modelling tool",
}
