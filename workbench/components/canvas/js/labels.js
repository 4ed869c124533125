/**
 * @import { Projection, Rectangle } from "./projection.js"
 * @import { Outline } from "./types.js"
 */

/** @typedef {Rectangle & { text: string }} Label */

const HEIGHT = 15;
const PADDING = 8;

/** Up to so many faces, every label is written in full if there is room. */
const FEW = 4;

/** How much wider than its box a label may be among many. */
const OVERHANG = 30;

/** Distance from a box, and from one that has grips. */
const GAP = 1;
const GAP_OF_GRIPS = 6;

/** Places labels so that none hides another or a neighbour's face, in full where there is room. */
export class LabelPlacing {
  /**
   * @param {Projection} projection
   * @param {(text: string) => number} measure gives the width of a text
   */
  constructor(projection, measure) {
    this.projection = projection;
    this.measure = measure;
  }

  /**
   * Places the labels of some boxes, the chosen one's first.
   * @param {Outline[]} outlines
   * @returns {Map<Outline, Label>}
   */
  place(outlines) {
    /** @type {Map<Outline, Label>} */
    const placed = new Map();
    for (const outline of [...outlines].sort((a, b) => Number(b.chosen ?? false) - Number(a.chosen ?? false))) {
      const places = this.placesFor(outline, outlines.length <= FEW);
      const taken = [...placed.values()];
      const isFree = (/** @type {Label} */ label) => !taken.some((other) => overlap(label, other));
      placed.set(outline, places.find(isFree) ?? places[places.length - 2]);
    }
    return placed;
  }

  /**
   * Gives the places that a label may have, best first; the last two are above and below with the short text.
   * @param {Outline} outline
   * @param {boolean} few
   * @returns {Label[]}
   */
  placesFor(outline, few) {
    const box = this.projection.onScreen(outline.box);
    const inFull = few || outline.chosen || this.widthOf(outline.label) <= box.width + OVERHANG;
    const texts = inFull ? [outline.label, outline.short] : [outline.short];
    const gap = outline.held ? GAP_OF_GRIPS : GAP;
    return texts.flatMap((text) => [this.above(box, text, gap), this.below(box, text, gap)]);
  }

  /**
   * @param {Rectangle} box
   * @param {string} text
   * @param {number} gap
   */
  above(box, text, gap) {
    const y = box.y - HEIGHT - gap;
    return y < 0 ? this.below(box, text, gap) : this.label(box, y, text);
  }

  /**
   * @param {Rectangle} box
   * @param {string} text
   * @param {number} gap
   */
  below(box, text, gap) {
    const y = Math.min(box.y + box.height + gap, this.projection.height - HEIGHT);
    return this.label(box, Math.max(0, y), text);
  }

  /**
   * @param {Rectangle} box
   * @param {number} y
   * @param {string} text
   * @returns {Label}
   */
  label(box, y, text) {
    const width = this.widthOf(text);
    const x = Math.max(0, Math.min(box.x - 1, this.projection.width - width));
    return { x, y, width, height: HEIGHT, text };
  }

  /** @param {string} text */
  widthOf(text) {
    return Math.ceil(this.measure(text)) + PADDING;
  }
}

/**
 * Tells whether two rectangles share any place.
 * @param {Rectangle} one
 * @param {Rectangle} other
 */
export function overlap(one, other) {
  const across = one.x < other.x + other.width && other.x < one.x + one.width;
  const down = one.y < other.y + other.height && other.y < one.y + one.height;
  return across && down;
}
