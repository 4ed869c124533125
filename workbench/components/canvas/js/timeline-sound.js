import { LANE, LANES, SOUND } from "./timeline-metrics.js";

/**
 * @import { TimelineDrawing } from "./timeline-drawing.js"
 * @import { AudioSpan, Span } from "./types.js"
 */

/**
 * What is drawn of the sound.
 * @typedef {object} SoundLane
 * @property {number[]} peaks in parts of equal length
 * @property {number} count of all frames
 * @property {AudioSpan[]} spans that are muted or bleeped
 * @property {number} step seconds that a frame lasts
 * @property {Span | null} chosen frames of the drag that is under way, in the order in which it met them
 */

/**
 * Draws the lane of the sound: its root, so that speech can be seen beside a bang, and what is replaced in it.
 * @param {TimelineDrawing} drawing
 * @param {SoundLane} lane
 */
export function drawSound(drawing, { peaks, count, spans, step, chosen }) {
  const top = LANES + drawing.lanes * LANE;
  const length = count / peaks.length;
  drawing.use("--quiet");
  peaks.forEach((peak, place) => {
    const from = place * length;
    if (from + length > drawing.start && from < drawing.stop) {
      const height = Math.max(1, Math.sqrt(peak) * (SOUND - 2));
      drawing.bar(from, from + length, top + SOUND / 2 - height / 2, height);
    }
  });
  for (const { kind, start, end } of spans) {
    drawing.use(kind === "mute" ? "--doubtful" : "--interpolated");
    shade(drawing, start / step, end / step, top);
  }
  if (chosen) {
    drawing.use("--accent");
    shade(drawing, Math.min(...chosen), Math.max(...chosen) + 1, top);
  }
}

/**
 * @param {TimelineDrawing} drawing
 * @param {number} from
 * @param {number} to
 * @param {number} top
 */
function shade(drawing, from, to, top) {
  drawing.context.globalAlpha = 0.5;
  drawing.bar(from, to, top, SOUND);
  drawing.context.globalAlpha = 1;
}
