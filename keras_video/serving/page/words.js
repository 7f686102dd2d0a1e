/** Numbers as people read them. */

const NARROW_SPACE = "\u202f";

/** 75.2 -> "1:15"; with tenths "1:15.2"; 3700 -> "1:01:40". */
export function clock(seconds, tenths = false) {
  const units = Math.max(0, tenths ? Math.round(seconds * 10) : Math.floor(seconds + 0.05) * 10);
  const whole = Math.floor(units / 10);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const two = (number) => String(number).padStart(2, "0");
  const start = hours ? `${hours}:${two(minutes)}` : String(minutes);
  return `${start}:${two(whole % 60)}${tenths ? `.${units % 10}` : ""}`;
}

/** "0:03–0:05", with tenths where there are some: "0:03.0–0:05.5". */
export function span(start, end) {
  const tenths = [start, end].some((seconds) => Math.abs(seconds - Math.round(seconds)) >= 0.05);
  return `${clock(start, tenths)}–${clock(end, tenths)}`;
}

/** 0.987 -> "98.7 %"; never "100.0 %" for less than all. */
export function percent(score) {
  const shown = Math.min(Math.round(score * 1000), score < 1 ? 999 : 1000) / 10;
  return `${shown.toFixed(1)}${NARROW_SPACE}%`;
}

/** 4718592 -> "4.7 MB". */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && bytes < 10 ? 1 : 0;
  return `${bytes.toFixed(digits)}${NARROW_SPACE}${units[unit]}`;
}

/** 0.0421 -> "42 ms"; 1.234 -> "1.2 s". */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)}${NARROW_SPACE}ms`;
  return `${seconds.toFixed(seconds < 100 ? 1 : 0)}${NARROW_SPACE}s`;
}

/** 600 -> "10 minutes", for limits. */
export function longTime(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} seconds`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`;
  return `${Math.round(seconds / 3600)} hours`;
}

/** (1, "class", "classes") -> "1 class". */
export function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}
