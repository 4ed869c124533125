import { element } from "../../shared/dom.js";

/** @import { ReviewItem } from "./types.js" */

const MARGIN = 8;
const LEAST_BAR = 6;

/** Shows the items to check: the open ones first, then the checked ones. */
export class ItemList {
  /**
   * @param {HTMLElement} place
   * @param {(key: string) => void} onOpen
   */
  constructor(place, onOpen) {
    this.place = place;
    this.onOpen = onOpen;
    /** @type {Map<string, HTMLElement>} */
    this.items = new Map();
  }

  /**
   * Shows items to check.
   * @param {ReviewItem[]} spots
   */
  draw(spots) {
    this.items = new Map();
    const open = spots.filter((spot) => spot.state === "open");
    const decided = spots.filter((spot) => spot.state !== "open");
    const title = open.length ? "Checked" : "Every item is checked";
    const nothing = "Nothing to check was found. Step through the video to be sure.";
    this.place.replaceChildren(
      ...open.map((spot) => this.item(spot)),
      ...(decided.length ? [element("h4", { className: "quiet" }, title)] : []),
      ...decided.map((spot) => this.item(spot)),
      ...(spots.length ? [] : [element("p", { className: "nothing" }, nothing)]),
    );
  }

  /**
   * Marks the item that is looked at, and brings it in sight.
   * @param {string | null} key
   */
  mark(key) {
    for (const [other, item] of this.items) {
      item.classList.toggle("current", other === key);
      if (other === key) {
        item.setAttribute("aria-current", "true");
        this.scrollTo(item);
      } else {
        item.removeAttribute("aria-current");
      }
    }
  }

  /** @param {ReviewItem} spot */
  item(spot) {
    const done = spot.state !== "open";
    const range = spot.stop - spot.start > 1 ? `${spot.start}–${spot.stop - 1}` : `${spot.start}`;
    const height = done ? 0 : Math.max(LEAST_BAR, Math.round(100 * spot.risk));
    const item = element(
      "button",
      {
        className: `item${done ? " done" : ""}`,
        dataset: { spot: spot.key },
        onclick: () => this.onOpen(spot.key),
      },
      element("i", { style: `height:${height}%`, attributes: { "aria-hidden": "true" } }),
      element(
        "span",
        { className: "head" },
        element("span", {}, spot.label + (spot.track === null ? "" : `, track ${spot.track}`)),
        element("span", {}, range),
      ),
      element("span", { className: "why" }, `${standingOf(spot)}: ${spot.reason}`),
    );
    this.items.set(spot.key, item);
    return item;
  }

  /** @param {HTMLElement} item */
  scrollTo(item) {
    const list = this.place.getBoundingClientRect();
    const place = item.getBoundingClientRect();
    if (place.top < list.top) {
      this.place.scrollTop -= list.top - place.top + MARGIN;
    } else if (place.bottom > list.bottom) {
      this.place.scrollTop += place.bottom - list.bottom + MARGIN;
    }
  }
}

/** @param {ReviewItem} spot */
function standingOf(spot) {
  if (spot.state === "open") {
    return `Risk ${spot.risk.toFixed(2)}`;
  }
  return spot.state === "accepted" ? spot.accept : "Amended";
}
