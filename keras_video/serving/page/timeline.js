/** What all bars over time share: ticks, playhead, the text under the pointer, seeking. */

import { clock } from "./words.js";

const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

export class Timeline {
  /**
   * `root` is the element that holds the tracks; `duration` in seconds; `seek(seconds)` is called
   * for clicks, drags and keys; `next(seconds, direction)` says where an arrow key leads;
   * `describe(seconds)` what is there, in words.
   */
  constructor(root, { duration, seek, next, describe }) {
    this.root = root;
    this.duration = duration;
    this.seek = (seconds) => seek(Math.min(Math.max(seconds, 0), duration));
    this.next = next;
    this.describe = describe;
    this.time = 0;
    this.tip = document.createElement("p");
    this.tip.className = "tip";
    this.tip.setAttribute("aria-hidden", "true");
    this.tip.hidden = true;
    root.append(this.tip);
  }

  /** A track as wide as the duration, with a playhead; its pointer seeks. */
  track(className) {
    const track = document.createElement("div");
    track.className = `track-of-time ${className}`;
    const playhead = document.createElement("span");
    playhead.className = "playhead";
    track.append(playhead);
    track.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest("[data-start]")) return;
      track.setPointerCapture(event.pointerId);
      this.seek(this.secondsAt(track, event));
    });
    track.addEventListener("pointermove", (event) => {
      const seconds = this.secondsAt(track, event);
      if (track.hasPointerCapture(event.pointerId)) this.seek(seconds);
      const { title } = event.target.closest("[data-start]")?.dataset ?? {};
      this.showTip(event, title ?? this.describe(seconds));
    });
    track.addEventListener("pointerleave", () => (this.tip.hidden = true));
    track.addEventListener("click", (event) => {
      const block = event.target.closest("[data-start]");
      if (block) this.seek(Number(block.dataset.start));
    });
    return track;
  }

  /** Puts a span on a track. */
  place(track, start, end) {
    const block = document.createElement("span");
    block.style.left = `${(100 * start) / this.duration}%`;
    block.style.width = `${(100 * Math.max(0, end - start)) / this.duration}%`;
    track.append(block);
    return block;
  }

  /** Makes a track the slider that keys move and screen readers read. */
  makeSlider(track, label) {
    track.tabIndex = 0;
    track.setAttribute("role", "slider");
    track.setAttribute("aria-label", label);
    track.setAttribute("aria-valuemin", "0");
    track.setAttribute("aria-valuemax", this.duration.toFixed(1));
    track.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const target = this.keyTarget(event.key);
      if (target === null) return;
      event.preventDefault();
      this.seek(target);
    });
    this.slider = track;
    this.moveTo(0);
  }

  keyTarget(key) {
    if (key === "ArrowRight" || key === "ArrowUp") return this.next(this.time, 1);
    if (key === "ArrowLeft" || key === "ArrowDown") return this.next(this.time, -1);
    if (key === "PageUp") return this.time + this.duration / 10;
    if (key === "PageDown") return this.time - this.duration / 10;
    if (key === "Home") return 0;
    if (key === "End") return this.duration;
    return null;
  }

  /** The row of times. */
  ticks() {
    const row = document.createElement("div");
    row.className = "ticks";
    row.setAttribute("aria-hidden", "true");
    const step = STEPS.find((seconds) => this.duration / seconds <= 6.5) ?? this.duration / 5;
    for (let at = 0; at <= this.duration * 0.97; at += step) {
      const tick = document.createElement("span");
      tick.style.left = `${(100 * at) / this.duration}%`;
      tick.textContent = clock(at, step < 1);
      row.append(tick);
    }
    return row;
  }

  /** Moves all playheads. */
  moveTo(seconds) {
    this.time = Math.min(Math.max(seconds, 0), this.duration);
    this.root.style.setProperty("--at", `${(100 * this.time) / this.duration}%`);
    const text = `${clock(this.time, true)}, ${this.describe(this.time)}`;
    if (this.slider?.getAttribute("aria-valuetext") === text) return;
    this.slider?.setAttribute("aria-valuenow", this.time.toFixed(1));
    this.slider?.setAttribute("aria-valuetext", text);
  }

  secondsAt(track, event) {
    const box = track.getBoundingClientRect();
    return (this.duration * Math.min(Math.max(event.clientX - box.left, 0), box.width)) / box.width;
  }

  showTip(event, text) {
    this.tip.textContent = text;
    this.tip.hidden = !text;
    const box = this.root.getBoundingClientRect();
    const half = this.tip.offsetWidth / 2;
    const x = Math.min(Math.max(event.clientX - box.left, half), box.width - half);
    const trackTop = event.currentTarget.getBoundingClientRect().top - box.top;
    this.tip.style.left = `${x}px`;
    this.tip.style.top = `${trackTop}px`;
  }
}
