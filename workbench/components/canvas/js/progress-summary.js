import { element } from "../../shared/dom.js";
import { percent } from "./wording.js";

/** @import { ReviewItem } from "./types.js" */

/**
 * Which frames were seen: by anybody, and by the person who looks.
 * @typedef {{ flags: ArrayLike<number>, count: number, mine: number }} Seen
 */

/** Shows how far the review is. */
export class ProgressSummary {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /**
   * Shows it.
   * @param {ReviewItem[]} spots
   * @param {Seen} seen
   * @param {number} frames how many there are
   */
  draw(spots, { flags, count, mine }, frames) {
    const open = spots.filter((spot) => spot.state === "open").length;
    const risk = spots.length ? riskSeen(spots, flags) : 0;
    const decided = spots.length ? 1 - open / spots.length : 0;
    this.place.replaceChildren(
      row("Risk reviewed", spots.length ? percent(risk) : "nothing to check", risk),
      row("Checked", spots.length ? `${spots.length - open} of ${spots.length}` : "nothing to check", decided),
      row("Frames viewed", `${count} of ${frames}${mine === count ? "" : `, ${mine} by you`}`, count / frames),
    );
  }
}

/**
 * Gives the share of the risk that was looked at. The engine counts the same way when the page is drawn.
 * @param {ReviewItem[]} spots
 * @param {ArrayLike<number>} seen
 */
export function riskSeen(spots, seen) {
  let whole = 0;
  let looked = 0;
  for (const { start, stop, risk } of spots) {
    let count = 0;
    for (let frame = start; frame < stop; frame += 1) {
      count += seen[frame];
    }
    whole += risk;
    looked += (risk * count) / (stop - start);
  }
  return whole ? looked / whole : 1;
}

/**
 * @param {string} name
 * @param {string} value
 * @param {number} share
 */
function row(name, value, share) {
  return element(
    "div",
    {},
    element("div", { className: "row" }, element("span", {}, name), element("b", {}, value)),
    element(
      "div",
      { className: "meter", attributes: { "aria-hidden": "true" } },
      element("i", { style: `width:${100 * share}%` }),
    ),
  );
}
