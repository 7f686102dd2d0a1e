/** The timeline of a localised video: a row for each label, its actions as blocks; and their list. */

import { name } from "./bars.js";
import { labelColours } from "./label_colours.js";
import { Timeline } from "./timeline.js";
import { percent, span } from "./words.js";

export class ActionRows {
  /** `actions` are `{start, end, label, class_id, score}`; `list` is the `<ol>` beside the video. */
  constructor(root, list, actions, duration, seek) {
    this.actions = actions
      .map((action) => ({ ...action, label: name(action) }))
      .sort((a, b) => a.start - b.start || b.score - a.score);
    this.shown = this.actions;
    const { colourOf } = labelColours(this.actions);
    this.timeline = new Timeline(root, {
      duration,
      seek,
      next: (seconds, direction) => seconds + direction * Math.min(1, duration / 20),
      describe: (seconds) => this.describe(seconds),
    });
    this.entries = this.actions.map((action) => ({ action, elements: [] }));
    for (const label of new Set(this.actions.map((action) => action.label))) {
      root.append(...this.row(label, colourOf(label)));
    }
    for (const entry of this.entries) {
      entry.button = this.button(entry.action, colourOf(entry.action.label));
      const item = document.createElement("li");
      item.append(entry.button);
      entry.elements.push(item);
      list.append(item);
    }
    const ruler = this.timeline.track("ruler");
    this.timeline.makeSlider(ruler, "Time");
    const corner = document.createElement("span");
    const axis = document.createElement("div");
    axis.append(ruler, this.timeline.ticks());
    root.append(corner, axis);
  }

  /** Shows the actions with at least this score, and returns how many they are. */
  showFrom(score) {
    const shown = this.entries.filter(({ action, elements }) => {
      for (const element of elements) element.hidden = action.score < score;
      return action.score >= score;
    });
    this.shown = shown.map(({ action }) => action);
    return shown.length;
  }

  moveTo(seconds) {
    this.timeline.moveTo(seconds);
    for (const { action, button } of this.entries) {
      const now = action.start <= seconds && seconds < action.end;
      if (now === (button.ariaCurrent === "true")) continue;
      button.ariaCurrent = String(now);
      if (now) scrollTo(button);
    }
  }

  row(label, colour) {
    const title = document.createElement("span");
    title.className = "row-label";
    title.textContent = title.title = label;
    const track = this.timeline.track("row");
    track.setAttribute("aria-hidden", "true");
    // The best lie on top.
    const entries = this.entries.filter(({ action }) => action.label === label);
    for (const { action, elements } of entries.sort((a, b) => a.action.score - b.action.score)) {
      const block = this.timeline.place(track, action.start, Math.min(action.end, this.timeline.duration));
      block.className = "block";
      block.dataset.colour = colour;
      block.dataset.start = action.start;
      block.dataset.title = words(action);
      const score = document.createElement("span");
      score.textContent = percent(action.score);
      block.append(score);
      elements.push(block);
    }
    return [title, track];
  }

  button(action, colour) {
    const parts = ["swatch", "label", "score", "when"].map((className) => {
      const part = document.createElement("span");
      part.className = className;
      return part;
    });
    const [swatch, label, score, when] = parts;
    swatch.dataset.colour = colour;
    label.textContent = label.title = action.label;
    score.textContent = percent(action.score);
    when.textContent = span(action.start, action.end);
    const button = document.createElement("button");
    button.type = "button";
    button.append(swatch, label, " ", score, " ", when);
    button.addEventListener("click", () => this.timeline.seek(action.start));
    return button;
  }

  describe(seconds) {
    const here = this.shown.filter(({ start, end }) => start <= seconds && seconds < end);
    return here.map((action) => action.label).join(", ");
  }
}

/** Scrolls the list alone, never the page. */
function scrollTo(button) {
  const list = button.closest("ol");
  const [inner, outer] = [button.getBoundingClientRect(), list.getBoundingClientRect()];
  if (inner.top < outer.top) list.scrollTop += inner.top - outer.top;
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
}

function words({ label, score, start, end }) {
  return `${label} ${percent(score)}, ${span(start, end)}`;
}
