/** The page: takes a video, shows it, sends it, shows the answer. */

import { ActionRows } from "./action_rows.js";
import { analyse, readModel } from "./api.js";
import { Bars } from "./bars.js";
import { WindowBar } from "./window_bar.js";
import { clock, count, duration, longTime, size, span } from "./words.js";

const element = (id) => document.getElementById(id);
const video = element("video");
const TOP_K = 5;

let model = null; // what GET v1/model says
let whole = null; // the bars of the whole video
let now = null; // the bars of the moment
let hideNotice = null; // a timer
let current = null; // the video that is shown: {file, url, controller, view, playable, seconds}

// === The model ===

async function meetModel() {
  try {
    model = await readModel();
  } catch (error) {
    element("model").textContent = "The server is not ready yet.";
    setTimeout(meetModel, 1000);
    return;
  }
  const { name, task, runtime, limits = {}, labels } = model;
  element("model").textContent = runtime ? `${name} · ${runtime}` : name;
  document.title = `${name} · keras_video`;
  if (task === "localize") element("question").textContent = "What happens when in your video?";
  const parts = [];
  if (limits.max_bytes) parts.push(size(limits.max_bytes));
  if (limits.max_seconds) parts.push(longTime(limits.max_seconds));
  if (parts.length) element("limits").textContent = `Up to ${parts.join(", ")}.`;
  const rows = Math.min(TOP_K, labels?.length || TOP_K);
  whole = new Bars(element("whole"), rows);
  now = new Bars(element("now"), rows);
  element("classified").hidden = task !== "classify";
  element("localized").hidden = task !== "localize";
  if (labels?.length) {
    element("classes-title").textContent = `What it knows: ${count(labels.length, "class", "classes")}`;
    element("class-list").replaceChildren(...labels.map((label) => textElement("li", label)));
    element("classes").hidden = false;
  }
  element("choose").disabled = false;
}

// === Taking a video ===

function take(files, entries = []) {
  if (entries.some((entry) => entry?.isDirectory)) return refuse("That is a folder. Drop one video.");
  if (!files.length) return refuse("There is no video file in that.");
  if (files.length > 1) return refuse(`Drop one video at a time. These are ${files.length} files.`);
  if (!model) return refuse("The server is not ready yet. Try again in a moment.");
  show(files[0]);
}

/** Says what was wrong with something dropped; what is shown and what runs stays. */
function refuse(message) {
  const notice = element("notice");
  notice.textContent = message;
  notice.classList.add("shown");
  clearTimeout(hideNotice);
  hideNotice = setTimeout(() => notice.classList.remove("shown"), 8000);
}

function tooLarge(file) {
  const limit = model.limits?.max_bytes;
  if (!file.size) return "The file is empty.";
  if (!limit || file.size <= limit) return null;
  return `The file has ${size(file.size)}; this server takes up to ${size(limit)}. Choose a shorter or smaller video.`;
}

function show(file) {
  leave();
  element("notice").classList.remove("shown");
  current = { file, url: URL.createObjectURL(file), view: null, playable: true, seconds: 0 };
  element("start").hidden = true;
  element("result").hidden = element("another").hidden = false;
  element("unplayable").hidden = true;
  element("file-name").textContent = element("file-name").title = file.name;
  element("facts").textContent = size(file.size);
  video.src = current.url;
  const refused = tooLarge(file);
  if (refused) fail(refused, false);
  else send();
}

/** Forgets the video that is shown, and stops what runs for it. */
function leave() {
  if (!current) return;
  current.controller?.abort();
  video.removeAttribute("src");
  video.load();
  URL.revokeObjectURL(current.url);
  clearAnswer();
  current = null;
}

function startAgain() {
  leave();
  element("result").hidden = element("another").hidden = true;
  element("start").hidden = false;
  element("choose").focus();
}

// === Sending it ===

async function send() {
  const mine = current;
  const controller = (mine.controller = new AbortController());
  clearAnswer();
  whole.wait();
  element("result").setAttribute("aria-busy", "true");
  element("cancel").hidden = false;
  element("cancel").focus({ preventScroll: true });
  const progress = element("progress");
  progress.classList.add("shown");
  progress.value = 0;
  say("Uploading");
  let timer = null;
  try {
    const answer = await analyse(model.task, mine.file, {
      topK: TOP_K,
      signal: controller.signal,
      onUpload: (share) => {
        progress.value = share;
        element("elapsed").textContent = ` · ${Math.round(100 * share)}\u202f%`;
      },
      onSent: () => {
        progress.removeAttribute("value");
        say("The server is watching");
        const began = performance.now();
        timer = setInterval(() => {
          const seconds = Math.round((performance.now() - began) / 1000);
          element("elapsed").textContent = ` · ${seconds}\u202fs`;
        }, 1000);
      },
    });
    if (mine !== current) return;
    showAnswer(answer);
  } catch (error) {
    if (mine === current && error.name !== "AbortError") fail(error.message);
  } finally {
    clearInterval(timer);
    if (mine === current && mine.controller === controller) rest();
  }
}

function say(words) {
  element("status").textContent = words;
  element("elapsed").textContent = "";
}

function rest() {
  element("result").removeAttribute("aria-busy");
  element("cancel").hidden = true;
  element("elapsed").textContent = "";
  element("progress").classList.remove("shown");
}

function fail(message, again = true) {
  current.controller?.abort();
  current.controller = null;
  clearAnswer();
  rest();
  say("");
  element("failure-message").textContent = message;
  element("retry").hidden = !again;
  element("failure").hidden = false;
  element("classified").hidden = element("localized").hidden = true;
}

// === The answer ===

function clearAnswer() {
  element("failure").hidden = true;
  element("failure-message").textContent = "";
  element("classified").hidden = model.task !== "classify";
  element("localized").hidden = model.task !== "localize";
  element("moment").hidden = element("timeline").hidden = element("save").hidden = true;
  element("actions-title").textContent = "Actions";
  element("threshold").value = 0;
  element("threshold").disabled = true;
  element("threshold-value").textContent = "";
  element("actions").replaceChildren();
  element("timeline-body").replaceChildren();
  element("no-matter").hidden = true;
  URL.revokeObjectURL(element("save").href);
  if (current) current.view = null;
}

function showAnswer(answer) {
  const facts = answer.video;
  element("facts").textContent = [
    facts.duration ? clock(facts.duration, facts.duration < 60) : null,
    facts.width && facts.height ? `${facts.width} × ${facts.height}` : null,
    facts.fps ? `${+facts.fps.toFixed(2)} frames/s` : null,
    size(current.file.size),
  ]
    .filter(Boolean)
    .join(" · ");
  if (model.task === "localize") showActions(answer);
  else showClasses(answer);
  const { timings = {} } = answer;
  const parts = ["decode", "queue", "network", "total"]
    .filter((part) => typeof timings[part] === "number")
    .map((part) => `${part} ${duration(timings[part])}`);
  say(parts.join(" · ") || "Done");
  const json = new Blob([JSON.stringify(answer, null, 2)], { type: "application/json" });
  element("save").href = URL.createObjectURL(json);
  element("save").hidden = element("no-matter").hidden = false;
  moveTo(current.seconds);
}

function showClasses({ predictions, windows = [], video: facts }) {
  const seen = windows.filter((window) => window.predictions.length);
  const length = facts.duration || seen.at(-1)?.end;
  const root = element("timeline-body");
  root.className = "";
  if (seen.length < 2 || !length) {
    whole.show(predictions);
    return;
  }
  const bar = new WindowBar(root, seen, length, seek);
  let shown = null;
  whole.show(predictions, bar.colourOf);
  current.view = {
    moveTo(seconds) {
      bar.moveTo(seconds);
      const { window } = bar.at(seconds);
      if (window === shown) return;
      shown = window;
      element("moment-title").textContent = `At ${span(window.start, window.end)}`;
      now.show(window.predictions, bar.colourOf);
    },
  };
  element("moment").hidden = element("timeline").hidden = false;
}

function showActions({ actions, video: facts }) {
  const length = facts.duration || Math.max(0, ...actions.map((action) => action.end));
  const title = (number) => {
    element("actions-title").textContent = number ? count(number, "action", "actions") : "No actions";
  };
  title(actions.length);
  if (!actions.length || !length) return;
  const root = element("timeline-body");
  root.className = "rows";
  const rows = new ActionRows(root, element("actions"), actions, length, seek);
  const threshold = element("threshold");
  threshold.disabled = false;
  threshold.oninput = () => {
    element("threshold-value").textContent = `${threshold.value}\u202f%`;
    title(rows.showFrom(threshold.value / 100));
  };
  threshold.oninput();
  current.view = rows;
  element("timeline").hidden = false;
}

// === Time ===

/** Goes to a moment: of the video where it plays, of the results alone where not. */
function seek(seconds) {
  if (current.playable && video.readyState > 0) {
    const end = Number.isFinite(video.duration) ? video.duration : seconds;
    video.currentTime = Math.min(seconds, end);
  }
  moveTo(seconds);
}

function moveTo(seconds) {
  current.seconds = seconds;
  current.view?.moveTo(seconds);
}

function follow() {
  if (!current || !current.playable || video.seeking) return;
  moveTo(video.currentTime);
  if (!video.paused && !video.ended) requestAnimationFrame(follow);
}

function unplayable() {
  if (!current || !video.hasAttribute("src")) return;
  current.playable = false;
  element("unplayable").hidden = false;
}

for (const name of ["play", "seeked", "pause", "ended"]) video.addEventListener(name, follow);
video.addEventListener("error", unplayable);
video.addEventListener("loadedmetadata", () => {
  // Sound alone is what browsers play of a video whose pictures they do not know.
  if (!video.videoWidth) unplayable();
  const limit = model.limits?.max_seconds;
  // As the server does it: a last frame's length is not known in all containers.
  if (limit && Number.isFinite(video.duration) && video.duration > limit + 0.5) {
    fail(`The video lasts ${clock(video.duration)}; this server takes up to ${longTime(limit)}.`, false);
  }
  video.loop = video.duration < 20;
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) video.play().catch(() => {});
});

// === Buttons, dropping, pasting ===

element("choose").addEventListener("click", () => element("input").click());
element("another").addEventListener("click", () => element("input").click());
element("cancel").addEventListener("click", startAgain);
element("retry").addEventListener("click", send);
element("input").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = ""; // the same file may be chosen again
  if (files.length) take(files);
});
element("drop").addEventListener("click", (event) => {
  if (event.target.id !== "choose" && model) element("input").click();
});

let depth = 0; // of elements that a drag has entered and not left
const veil = (on) => element("veil").classList.toggle("shown", on);
addEventListener("dragenter", (event) => {
  depth += 1;
  veil(Boolean(event.dataTransfer?.types.includes("Files")));
});
addEventListener("dragleave", () => {
  depth = Math.max(0, depth - 1);
  if (!depth) veil(false);
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  veil(false);
  const { files, items } = event.dataTransfer;
  take([...files], [...items].map((item) => item.webkitGetAsEntry?.()));
});
addEventListener("paste", (event) => {
  event.preventDefault();
  take([...event.clipboardData.files]);
});

function textElement(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

meetModel();
