/** The bar over time of a classified video: a column for each window, as high as its best score. */

import { name } from "./bars.js";
import { labelColours } from "./label_colours.js";
import { Timeline } from "./timeline.js";
import { clock, percent, span } from "./words.js";

export class WindowBar {
  /** `windows` are `{start, end, predictions}` in order of time, and may overlap. */
  constructor(root, windows, duration, seek) {
    this.cells = cellsOf(windows.filter((window) => window.predictions.length), duration);
    const colours = labelColours(this.cells);
    /** Of bars; grey like the second for labels that are in no window the best. */
    this.colourOf = (label) =>
      colours.labels.some((entry) => entry.label === label) ? colours.colourOf(label) : "second";
    this.timeline = new Timeline(root, {
      duration,
      seek,
      next: (seconds, direction) => this.neighbour(seconds, direction),
      describe: (seconds) => describe(this.at(seconds)),
    });
    const track = this.timeline.track("windows");
    for (const cell of this.cells) {
      const column = this.timeline.place(track, cell.start, cell.end);
      column.className = "column";
      column.style.height = `${Math.max(4, 100 * cell.predictions[0].score)}%`;
      column.dataset.colour = colours.colourOf(cell.label);
    }
    track.classList.toggle("dense", this.cells.length > 80);
    this.timeline.makeSlider(track, "What is seen when");
    root.append(track, this.timeline.ticks(), this.legend(colours, track));
  }

  /** The window that speaks for a moment. */
  at(seconds) {
    return this.cells.findLast((cell) => cell.start <= seconds) ?? this.cells[0];
  }

  moveTo(seconds) {
    this.timeline.moveTo(seconds);
  }

  neighbour(seconds, direction) {
    const index = this.cells.indexOf(this.at(seconds)) + direction;
    return this.cells[Math.min(Math.max(index, 0), this.cells.length - 1)].start;
  }

  legend({ labels, others }, track) {
    const list = document.createElement("ul");
    list.className = "legend";
    list.setAttribute("aria-label", "Labels, and for how long each is the most likely");
    for (const { label, seconds } of labels) {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.dataset.colour = this.colourOf(label);
      const time = document.createElement("span");
      time.className = "seconds";
      time.textContent = clock(seconds);
      button.type = "button";
      button.title = "Go to the next time";
      button.append(swatch, label, " ", time);
      button.addEventListener("click", () => this.timeline.seek(this.nextTime(label)));
      const light = (on) => (track.dataset.light = on ? swatch.dataset.colour : "");
      button.addEventListener("pointerenter", () => light(true));
      button.addEventListener("pointerleave", () => light(false));
      item.append(button);
      list.append(item);
    }
    if (others) {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.dataset.colour = "other";
      item.append(swatch, others === 1 ? "another" : `${others} others`);
      list.append(item);
    }
    return list;
  }

  /** Where a label begins next after now; after its last time, where it first does. */
  nextTime(label) {
    const begins = this.cells.filter(
      (cell, index) => cell.label === label && this.cells[index - 1]?.label !== label,
    );
    const later = begins.find((cell) => cell.start > this.timeline.time + 0.01);
    return (later ?? begins[0]).start;
  }
}

/** Where windows overlap, each has the half that is nearer to its middle. */
function cellsOf(windows, duration) {
  const cells = windows.map((window) => ({
    ...window,
    label: name(window.predictions[0]),
    window,
    end: Math.min(window.end, duration),
  }));
  for (let index = 1; index < cells.length; index += 1) {
    const [before, cell] = [cells[index - 1], cells[index]];
    if (before.end > cell.start) {
      before.end = cell.start = (before.end + cell.start) / 2;
    }
  }
  return cells;
}

function describe({ window, label, predictions }) {
  return `${label} ${percent(predictions[0].score)}, ${span(window.start, window.end)}`;
}
