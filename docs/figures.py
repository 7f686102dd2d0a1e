"""Draws the architectures of the models, as SVG.

python docs/figures.py            # writes docs/pages/models/figures/*.svg
python docs/figures.py --check    # changes nothing; exit code 1 if one is out of date
"""

import argparse
import sys
from pathlib import Path

from diagram import Beside, Box, Flow, Grid, Group, Link, Space, draw

FOLDER = Path(__file__).parent / "pages" / "models" / "figures"
STAGES = (("Stage 1", 3, 256), ("Stage 2", 4, 512), ("Stage 3", 6, 1024), ("Stage 4", 3, 2048))
# Which frame each of the 8 takes its channels from; 0 stands for none.
SHIFT = {
    "first eighth of the channels": ("time", "01234567"),
    "second eighth": ("time", "23456780"),
    "the others": ("space", "12345678"),
}


def tsn() -> str:
    return draw(
        "TSN: a ResNet on frames of all parts of a video, whose features are averaged",
        Flow([Box("Video", "data"), _sampled("ResNet-50"), *_average("Dropout 0.4")]),
    )


def pp_tsn() -> str:
    return draw(
        "PP-TSN: TSN with the stem and the shortcuts of ResNet-D",
        Beside(
            [
                Flow([Box("Video", "data"), _sampled("ResNet-50-D"), *_average("Dropout 0.4")]),
                *_tweaks("ReLU"),
            ],
            gap=20,
        ),
    )


def tsm() -> str:
    block, links = _shifted_block("ReLU", "Unchanged, or a 1×1 convolution")
    stem = Box("Stem\n7×7 conv, 64\nmax pooling")
    return draw(
        "TSM: a ResNet whose blocks exchange channels with the frames before and after",
        Beside([_shifted_network(stem), Group("A block", block), _shift()], gap=20),
        links,
    )


def pp_tsm() -> str:
    block, links = _shifted_block("leaky ReLU", "Unchanged, or as below")
    stem = Box("Stem\nas below")
    return draw(
        "PP-TSM: TSM with the stem and the shortcuts of ResNet-D and leaky ReLU",
        Beside(
            [_shifted_network(stem), Group("A block", block), *_tweaks("leaky ReLU"), _shift()],
            gap=20,
        ),
        links,
    )


def slowfast() -> str:
    size = 98
    slow = [
        Box("Every 4th\n8 frames", "data", size),
        Box("Stem\n1×7×7, 64", "space", size),
        Box("Stage 1\n256", "space", size),
        Box("Stage 2\n512", "space", size),
        Box("Stage 3\n3 frames, 1024", "time", size),
        Box("Stage 4\n3 frames, 2048", "time", size),
    ]
    size = slow[-1].width
    slow = [Box(box.text, box.kind, size) for box in slow]
    fast = [
        Box("All\n32 frames", "data", size),
        Box("Stem\n5×7×7, 8", "time", size),
        *(Box(f"Stage {n}\n3 frames, {32 * 2 ** (n - 1)}", "time", size) for n in range(1, 5)),
    ]
    joins = [Box("7×1×1\nto 8 frames", "time", size) for _ in range(4)]
    # Between the stages that they come from and lead to.
    middle = Beside([Space(size), *joins], down=False, gap=18, apart=True)
    rows = Beside([Flow(slow, gap=18), middle, Flow(fast, gap=18)], gap=34)
    links = [Link(join, stage) for join, stage in zip(joins, slow[2:], strict=True)]
    links += [Link(stage, join) for stage, join in zip(fast[1:5], joins, strict=True)]
    head = Flow(
        [
            Box("Mean over frames and places\nboth together 2304", "head"),
            Box("Dropout 0.5\ndense, 400", "head"),
            Box("Logits", "data"),
        ]
    )
    return draw(
        "SlowFast: few frames with many channels, many frames with few",
        Flow([Group("Slow pathway above, fast one below", rows), head], down=True),
        tuple(links),
    )


def timesformer() -> str:
    network = Flow(
        [
            Box("8 frames\n224 × 224", "data"),
            Box("Patches 16×16\n196 a frame, 768"),
            Box("Add\nplace and time,\nclass token", "head"),
            Box("12 blocks\nas below", "time"),
            Box("Class token\nlayer norm", "head"),
            Box("Dense\n400", "head"),
        ],
        gap=20,
    )
    block = Flow(
        [
            Box("Layer norm"),
            Box("Attention\nto the same place\nin all frames", "time"),
            Box("Dense\nadd"),
            Box("Layer norm"),
            Box("Attention\nto all places and the\nclass in the frame"),
            Box("Add\nlayer norm"),
            Box("MLP, 3072\nadd"),
        ],
        gap=18,
    )
    return draw(
        "TimeSformer: a vision transformer with attention over time, then within frames",
        Beside([network, Group("A block of divided attention", block)], gap=20),
    )


def attention_lstm() -> str:
    def read(name, channels):
        return Flow(
            [
                Box(f"{name}\nsteps × {channels}", "data", 100),
                Box("Dense, 512\ntanh"),
                Box("LSTM both ways\n2 × 1024", "time"),
                Box("Attention\nweighted mean", "time"),
            ],
            gap=20,
        )

    return draw(
        "AttentionLSTM: each modality is read both ways and averaged with learned weights",
        Flow(
            [
                Beside([read("Pictures", 1024), read("Sound", 128)], align=0),
                Box("Dense\n8192 ReLU\n4096 tanh", "head"),
                Box("3862 labels\neach by itself", "data"),
            ],
            gap=20,
        ),
    )


def bmn() -> str:
    segments = Flow(
        [
            Box("Conv, 3 steps\n128", "time"),
            Box("Boundary matching\n32 samples, 512", "time"),
            Box("Map of segments\nconvs, 128", "head"),
            Box("Confidence\nof each segment", "data"),
        ],
        gap=20,
    )
    ends = [
        Flow([Box("Convs, 3 steps\n256, 1", "time"), Box(f"{name}\nof each step", "data")], gap=20)
        for name in ("Starts", "Ends")
    ]
    return draw(
        "BMN: how likely actions start and end, and how well each segment fits one",
        Flow(
            [
                Box("Features\n100 × 400", "data"),
                Box("2 convs\n3 steps, 256", "time"),
                Beside([ends[0], segments, ends[1]], align=0),
                Box("Soft\nNMS", "head"),
            ],
            gap=20,
        ),
    )


def video_tag() -> str:
    return draw(
        "VideoTag: features of 300 frames, read by an AttentionLSTM",
        Flow(
            [
                Box("Video\n300 frames", "data"),
                Group("Extractor", Box("ResNet-101\n2048 a frame")),
                Group(
                    "Predictor (AttentionLSTM)",
                    Flow(
                        [
                            Box("Dense\n1024"),
                            Box("LSTM both ways\n2 × 512", "time"),
                            Box("Attention", "time"),
                            Box("Dense\n8192, 4096", "head"),
                        ],
                        gap=18,
                    ),
                ),
                Box("3396 tags", "data"),
            ],
            gap=20,
        ),
    )


def football_action() -> str:
    pictures = [Box("Pictures\n5 a second", "data"), Box("PP-TSM\n2048 each")]
    sound = [Box("Sound\n16 kHz", "data"), Box("Spectrogram\n64 bands", "time")]
    sound += [Box("VGGish\n1024 each second", "time")]
    features = Group("Features", Beside([Flow(pictures, gap=20), Flow(sound, gap=20)]))
    propose = Box("BMN\nsegments, in windows", "time")
    classify = Box("ActionLSTM\nclass and overlap", "head")
    end = [Box("NMS\nthresholds", "head"), Box("Timeline", "data")]
    return draw(
        "FootballAction: features of pictures and sound, segments, and what they are",
        Flow([features, Flow([propose, classify, *end], gap=20)], down=True, gap=34),
        (Link(features, classify, ("bottom", "top")),),
    )


def _sampled(network: str) -> Beside:
    """Frames of three parts through one network."""
    return Beside(
        [
            Flow([Box(f"Frame of part {part}", "data"), Box(f"{network}\nthe same for all")])
            for part in (1, 2, 3)
        ]
    )


def _average(dropout: str) -> list[Box]:
    return [
        Box("Mean\nover frames", "head"),
        Box(f"{dropout}\ndense, 400", "head"),
        Box("Logits", "data"),
    ]


def _shifted_network(stem: Box) -> Flow:
    stages = [
        Box(f"{name}\n{blocks} blocks\n{channels}", "time") for name, blocks, channels in STAGES
    ]
    ends = [Box("Dense, 400\nmean over\nframes", "head"), Box("Logits", "data")]
    return Flow([Box("8 frames\n224 × 224", "data"), stem, *stages, *ends], gap=18)


def _shifted_block(activation: str, shortcut: str) -> tuple[Beside, tuple[Link, ...]]:
    start, end = Box("Input", "data"), Box(f"Add\n{activation}")
    branch = [
        Box("Shift\n1/8 each way", "time"),
        Box(f"1×1 conv\n{activation}"),
        Box(f"3×3 conv\n{activation}"),
        Box("1×1 conv"),
    ]
    skip = Box(shortcut)
    around = (Link(start, skip, ("bottom", "left")), Link(skip, end, ("right", "bottom")))
    return Beside([Flow([start, *branch, end], gap=20), skip], gap=20), around


def _shift() -> Group:
    rows = {label: (kind, list(cells)) for label, (kind, cells) in SHIFT.items()}
    return Group("The shift: which frame each of the 8 takes its channels from", Grid(rows))


def _tweaks(activation: str) -> list[Group]:
    convolutions = [f"3×3 conv, 32\nhalves, {activation}", f"3×3 conv, 32\n{activation}"]
    convolutions += [f"3×3 conv, 64\n{activation}", "3×3 max pooling\nhalves"]
    stem = Flow([Box(text) for text in convolutions], gap=20)
    shortcut = Flow([Box("2×2 mean pooling\nhalves"), Box("1×1 conv\nchannels")], gap=20)
    return [
        Group("Stem (tweak C)", stem),
        Group("Shortcut of a block that halves the size (tweak D)", shortcut),
    ]


FIGURES = (
    tsn,
    tsm,
    pp_tsn,
    pp_tsm,
    slowfast,
    timesformer,
    attention_lstm,
    bmn,
    video_tag,
    football_action,
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only tell, by the exit code")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for figure in FIGURES:
        path, svg = FOLDER / f"{figure.__name__}.svg", figure()
        if not path.is_file() or path.read_text(encoding="utf-8") != svg:
            stale.append(path)
            if not check:
                path.write_text(svg, encoding="utf-8")
    if check and stale:
        names = ", ".join(path.name for path in stale)
        print(f"Out of date: {names}; run `python docs/figures.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
