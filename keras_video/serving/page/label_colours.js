/** One colour for each label: the longest seen have their own, the others share grey. */

const COLOURS = 8; // as many as page.css has

/**
 * `spans` are `{label, start, end}`. Returns `{labels, others, colourOf}`: the labels with a colour
 * of their own, longest first, `{label, seconds}`; how many share grey; and the colour of a label.
 */
export function labelColours(spans) {
  const seconds = new Map();
  for (const { label, start, end } of spans) {
    seconds.set(label, (seconds.get(label) ?? 0) + end - start);
  }
  const sorted = [...seconds].sort((a, b) => b[1] - a[1]);
  const labels = sorted.slice(0, COLOURS).map(([label, total]) => ({ label, seconds: total }));
  const colours = new Map(labels.map(({ label }, index) => [label, String(index)]));
  return {
    labels,
    others: Math.max(0, sorted.length - COLOURS),
    colourOf: (label) => colours.get(label) ?? "other",
  };
}
