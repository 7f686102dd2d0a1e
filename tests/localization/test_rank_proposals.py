"""Maps of a network become segments."""

from pathlib import Path

import numpy as np
import pytest

from keras_video.localization import boundary_peaks, rank_proposals

GOLDEN = Path(__file__).parents[1] / "golden" / "models"
CASES = ["bmn model", "bmn synth", "bmn_tiny model", "bmn_tiny synth"]


def golden(name):
    file, case = name.split()
    arrays = np.load(GOLDEN / f"{file}.npz")
    kinds = ("pred_bm", "pred_start", "pred_end", "start_mask", "end_mask", "proposals")
    return {kind: arrays[f"post:{case}_{kind}"] for kind in kinds}


def ranked(segments, scores):
    order = np.lexsort((segments[:, 1], segments[:, 0]))
    return segments[order], scores[order]


@pytest.mark.parametrize("name", CASES)
def test_proposals_are_those_of_the_reference(name):
    facts = golden(name)
    segments, scores = rank_proposals(
        facts["pred_bm"][0], facts["pred_start"][0], facts["pred_end"][0]
    )
    assert (np.diff(scores) <= 0).all()
    segments, scores = ranked(segments, scores)
    expected = ranked(facts["proposals"][:, :2].round(9), facts["proposals"][:, 2])
    np.testing.assert_allclose(segments, expected[0], atol=1e-8)
    np.testing.assert_allclose(scores, expected[1], rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_peaks_are_those_of_the_reference(name):
    facts = golden(name)
    # The reference's masks have the first start and the last end on.
    assert (boundary_peaks(facts["pred_start"][0])[1:] == facts["start_mask"][1:]).all()
    assert (boundary_peaks(facts["pred_end"][0])[:-1] == facts["end_mask"][:-1]).all()


def test_peaks_by_hand():
    assert boundary_peaks([0.4, 0.1, 0.1, 0.3, 0.9, 0.46]).tolist() == [1, 0, 0, 0, 1, 1]
    assert boundary_peaks([0.0, 0.0]).tolist() == [False, False]
    assert boundary_peaks([0.2, 0.2, 1.0]).tolist() == [False, False, True]


def test_the_shortest_segments_can_be_longer():
    maps = np.full((2, 8, 10), 0.5)
    flat = np.full(10, 0.5)
    segments, scores = rank_proposals(maps, flat, flat, min_duration=6)
    steps = ((segments[:, 1] - segments[:, 0]) * 10).round().astype(int)
    assert sorted(steps.tolist()) == [6] * 5 + [7] * 4 + [8] * 3
    np.testing.assert_allclose(scores, 0.5**4)
    assert rank_proposals(maps, flat, flat, min_duration=9)[0].shape == (0, 2)


def test_maps_of_start_and_end_are_read_in_their_own_way():
    rng = np.random.default_rng(0)
    maps, starts, ends = rng.random((2, 6, 6)), rng.random(6), rng.random(6)
    segments, scores = ranked(*rank_proposals(maps, starts, ends, layout="start_end"))
    expected = [
        (i / 6, j / 6, starts[i] * ends[j] * maps[0, i, j - 1] * maps[1, i, j - 1])
        for i in range(6)
        for j in range(i + 1, 6)
    ]
    np.testing.assert_allclose(np.column_stack((segments, scores)), expected)


def test_wrong_arguments_are_refused():
    maps, flat = np.full((2, 4, 4), 0.5), np.full(4, 0.5)
    with pytest.raises(ValueError, match=r"\(2, durations, time\).*shape \(2, 4, 4\)"):
        rank_proposals(maps, np.full(5, 0.5), np.full(5, 0.5))
    with pytest.raises(ValueError, match="for one video"):
        rank_proposals(maps, flat[None], flat)
    with pytest.raises(ValueError, match="`ends` holds probabilities.*nan"):
        rank_proposals(maps, flat, flat * np.nan)
    with pytest.raises(ValueError, match="`confidence` holds probabilities.*sigmoid.*5"):
        rank_proposals(maps * 10, flat, flat)
    with pytest.raises(ValueError, match="layout='end_start'"):
        rank_proposals(maps, flat, flat, layout="end_start")
    with pytest.raises(ValueError, match="as many rows"):
        rank_proposals(maps[:, :3], flat, flat, layout="start_end")
    with pytest.raises(ValueError, match="`min_duration`"):
        rank_proposals(maps, flat, flat, min_duration=0)
    with pytest.raises(ValueError, match="is empty"):
        boundary_peaks([])
    with pytest.raises(ValueError, match=r"shape \(1, 4\)"):
        boundary_peaks(flat[None])
