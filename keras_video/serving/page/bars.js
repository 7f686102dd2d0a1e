/** The best classes of a video or of a moment, as bars. */

import { percent } from "./words.js";

export class Bars {
  /** `list` is the `<ol>`; `rows` classes are shown at most, and their room is kept from the start. */
  constructor(list, rows) {
    this.rows = Array.from({ length: rows }, makeRow);
    list.replaceChildren(...this.rows.map((row) => row.item));
    this.wait();
  }

  /** Shows predictions, best first; `colourOf(label)` names the colour of a bar. */
  show(predictions, colourOf = () => null) {
    this.rows.forEach((row, rank) => {
      const prediction = predictions[rank];
      row.item.className = prediction ? "" : "empty";
      row.label.textContent = row.label.title = prediction ? name(prediction) : "";
      row.score.textContent = prediction ? percent(prediction.score) : "";
      row.fill.style.width = `${100 * (prediction?.score ?? 0)}%`;
      row.fill.dataset.colour = (prediction && colourOf(name(prediction))) ?? (rank ? "second" : "first");
    });
  }

  /** Grey rows, until there is an answer. */
  wait() {
    this.show([]);
    for (const row of this.rows) row.item.className = "waiting";
  }
}

/** Models without names of their classes have numbers. */
export function name(prediction) {
  return prediction.label ?? `class ${prediction.class_id}`;
}

function makeRow() {
  const [item, label, score, track, fill] = ["li", "span", "span", "span", "span"].map((tag) =>
    document.createElement(tag),
  );
  label.className = "label";
  score.className = "score";
  track.className = "track";
  fill.className = "fill";
  track.setAttribute("aria-hidden", "true");
  track.append(fill);
  item.append(label, " ", score, track);
  return { item, label, score, fill };
}
