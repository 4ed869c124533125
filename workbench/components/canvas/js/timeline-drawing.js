import { contextOf, pixelRatio } from "../../shared/dom.js";
import { flaggedSpans } from "./timeline-layout.js";
import {
  FOOT,
  LANE,
  LANES,
  MARGIN,
  RISK,
  SEEN,
  heightOf,
  namesWidth,
  placeOfMark,
  placesOfNames,
} from "./timeline-metrics.js";

/**
 * @import { Lane } from "./timeline-layout.js"
 * @import { Span, ReviewItem, Track } from "./types.js"
 */

const SPOT_SIZE = 3.5;
const CHOSEN_SPOT_SIZE = 5;
const MARK_DISTANCE = 130;
const MOST_MARKS = 9;

const TONES = { d: "--detected", c: "--carried", i: "--interpolated", e: "--extended", r: "--reviewer" };

/** Draws one state of the timeline: what was seen, risk, items to check, cuts, and tracks by origin. */
export class TimelineDrawing {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{ lanes: number, hasSound: boolean }} content how many lanes of tracks there are, and whether sound
   * @param {Span} span of frames that is shown
   */
  constructor(canvas, { lanes, hasSound }, [start, stop]) {
    const ratio = pixelRatio();
    this.width = canvas.clientWidth;
    this.height = heightOf(lanes, hasSound);
    this.lanes = lanes;
    this.left = namesWidth(this.width);
    this.start = start;
    this.stop = stop;
    /** Width of a frame. */
    this.unit = (this.width - this.left) / (stop - start);
    this.style = getComputedStyle(canvas);
    const [columns, rows] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (canvas.width !== columns || canvas.height !== rows) {
      Object.assign(canvas, { width: columns, height: rows });
    }
    this.context = contextOf(canvas);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, this.width, this.height);
    if (this.left) {
      this.names(hasSound);
      this.context.beginPath();
      this.context.rect(this.left, 0, this.width - this.left, this.height);
      this.context.clip();
    }
  }

  /**
   * Names the lanes.
   * @param {boolean} hasSound
   */
  names(hasSound) {
    this.use("--quiet");
    this.context.font = "11px sans-serif";
    this.context.textAlign = "left";
    this.context.textBaseline = "middle";
    for (const [name, y] of placesOfNames(this.lanes, hasSound)) {
      this.context.fillText(name, MARGIN, y);
    }
  }

  /**
   * Marks the frames that an open form is about.
   * @param {Span} range first and last frame
   */
  asked([first, last]) {
    this.use("--accent");
    this.context.globalAlpha = 0.22;
    this.bar(first, last + 1, SEEN, this.height - SEEN - FOOT);
    this.context.globalAlpha = 1;
  }

  /**
   * Draws which frames were seen.
   * @param {ArrayLike<number>} flags
   */
  seen(flags) {
    this.use("--accent");
    for (const [from, to] of flaggedSpans(flags, [this.start, this.stop])) {
      this.bar(from, to, 0, SEEN - 1);
    }
  }

  /**
   * Draws the risk.
   * @param {number[]} risks in stretches of equal length
   * @param {number} count of all frames
   */
  risk(risks, count) {
    this.use("--doubtful");
    const length = count / risks.length;
    risks.forEach((risk, place) => {
      const from = place * length;
      if (risk > 0 && from + length > this.start && from < this.stop) {
        this.bar(from, from + length, SEEN + RISK * (1 - risk), RISK * risk);
      }
    });
  }

  /**
   * Draws items to check.
   * @param {ReviewItem[]} spots
   * @param {string | null} chosen key
   */
  spots(spots, chosen) {
    for (const { key, state, at } of spots) {
      this.use(state === "open" ? "--doubtful" : "--quiet");
      this.triangle(this.x(at + 0.5), key === chosen ? CHOSEN_SPOT_SIZE : SPOT_SIZE);
    }
  }

  /**
   * Draws tracks, those that are not chosen fainter.
   * @param {Lane[]} lanes
   * @param {number | null} chosen
   */
  tracks(lanes, chosen) {
    for (const [lane, track] of lanes) {
      if (track.stop > this.start && track.start < this.stop) {
        this.context.globalAlpha = chosen === null || chosen === track.track ? 1 : 0.5;
        this.track(track, LANES + lane * LANE);
      }
    }
    this.context.globalAlpha = 1;
  }

  /**
   * Draws cuts.
   * @param {number[]} cuts
   */
  cuts(cuts) {
    this.use("--ink");
    for (const cut of cuts) {
      if (cut >= this.start && cut < this.stop) {
        this.context.fillRect(this.x(cut), SEEN, 1, this.height - SEEN - FOOT);
      }
    }
  }

  /**
   * Writes times beneath, the first and the last at the ends.
   * @param {(index: number) => string} timeOf
   */
  times(timeOf) {
    this.use("--ink");
    this.context.font = "11px sans-serif";
    this.context.textBaseline = "bottom";
    const last = Math.max(2, Math.min(MOST_MARKS, Math.floor(this.width / MARK_DISTANCE))) - 1;
    for (let mark = 0; mark <= last; mark += 1) {
      const { align, x } = placeOfMark(mark, last, this);
      this.context.textAlign = align;
      const frame = Math.round(this.start + ((this.stop - 1 - this.start) * mark) / last);
      this.context.fillText(timeOf(frame), x, this.height - 1);
    }
  }

  /**
   * Marks a frame.
   * @param {number} index
   */
  position(index) {
    this.use("--ink");
    this.context.fillRect(this.x(index + 0.5) - 1, 0, 2, this.height - FOOT + 3);
  }

  /**
   * @param {Track} track
   * @param {number} y
   */
  track({ start, runs }, y) {
    let at = start;
    for (const [letter, length] of runs) {
      if (letter !== "-") {
        this.use(TONES[letter]);
        this.bar(at, at + length, y, LANE - 2);
      }
      at += length;
    }
  }

  /**
   * @param {number} x
   * @param {number} size
   */
  triangle(x, size) {
    this.context.beginPath();
    this.context.moveTo(x, LANES - size * 1.6);
    this.context.lineTo(x + size, LANES - 1);
    this.context.lineTo(x - size, LANES - 1);
    this.context.fill();
  }

  /** @param {number} frame */
  x(frame) {
    return this.left + (frame - this.start) * this.unit;
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} y
   * @param {number} height
   */
  bar(from, to, y, height) {
    this.context.fillRect(this.x(from), y, Math.max(1, (to - from) * this.unit), height);
  }

  /** @param {string} tone name of a property of the style sheet */
  use(tone) {
    this.context.fillStyle = this.style.getPropertyValue(tone).trim();
  }
}
