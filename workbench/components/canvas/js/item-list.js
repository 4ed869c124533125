import { element } from "../../shared/dom.js";
import { causesOf, groupItems } from "./item-groups.js";

/**
 * @import { ItemGroup } from "./item-groups.js"
 * @import { Portraits } from "./portraits.js"
 * @import { ReviewState } from "./state.js"
 * @import { ReviewItem } from "./types.js"
 */

const MARGIN = 8;
const LEAST_BAR = 6;

/** @type {[value: string, text: string][]} */
const GROUPINGS = [
  ["none", "Not grouped"],
  ["person", "By person"],
  ["cause", "By cause"],
  ["time", "By minute"],
];

/** @type {[value: string, text: string][]} */
const SORTINGS = [
  ["risk", "Risk first"],
  ["time", "Time order"],
];

/**
 * @typedef {object} ItemHandlers
 * @property {(key: string) => void} openItem
 * @property {(items: ReviewItem[], title: string) => void} confirm
 */

/** Shows the items to check, grouped, filtered and sorted: the open ones first, then the checked ones. */
export class ItemList {
  /**
   * @param {HTMLElement} place
   * @param {ReviewState} state
   * @param {Portraits} portraits
   * @param {ItemHandlers} handlers
   */
  constructor(place, state, portraits, handlers) {
    this.place = place;
    this.state = state;
    this.portraits = portraits;
    this.handlers = handlers;
    /** @type {Map<string, HTMLElement>} */
    this.items = new Map();
  }

  /** Shows the items. */
  draw() {
    this.items = new Map();
    const { spots } = this.state.data;
    const shown = this.state.items;
    const open = shown.filter((spot) => spot.state === "open");
    const decided = shown.filter((spot) => spot.state !== "open");
    const nothing = "Nothing to check was found. Step through the video to be sure.";
    const { people, data } = this.state;
    this.place.replaceChildren(
      ...(spots.length ? [this.choices()] : []),
      ...groupItems(open, this.state.itemView.grouping, people, data.step).flatMap((group) => this.group(group)),
      ...(decided.length
        ? [element("h4", { className: "quiet" }, open.length ? "Checked" : "Every item is checked")]
        : []),
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
    // One stop of the tabulator for the whole list; the keys n and p go through it.
    const focused = this.items.get(key ?? "") ?? this.items.values().next().value;
    for (const item of this.items.values()) {
      item.tabIndex = item === focused ? 0 : -1;
    }
  }

  choices() {
    const causes = /** @type {[string, string][]} */ ([
      ["", "All causes"],
      ...causesOf(this.state.data.spots).map((cause) => [cause, cause]),
    ]);
    const attributes = { role: "group", "aria-label": "Order of the items" };
    return element(
      "div",
      { className: "choices", attributes },
      this.choice("Group items", "grouping", GROUPINGS),
      this.choice("Sort items", "sorting", SORTINGS),
      this.choice("Show causes", "cause", causes),
    );
  }

  /**
   * @param {string} name
   * @param {"grouping" | "sorting" | "cause"} key
   * @param {[value: string, text: string][]} options
   */
  choice(name, key, options) {
    const made = options.map(([value, text]) =>
      element("option", { value, selected: this.state.itemView[key] === value }, text),
    );
    const select = element("select", { ariaLabel: name, title: name }, ...made);
    select.addEventListener("change", () => {
      this.state.itemView = { ...this.state.itemView, [key]: select.value };
      this.draw();
      this.mark(this.state.itemKey);
      select.blur();
      this.place.focus({ preventScroll: true });
    });
    return select;
  }

  /** @param {ItemGroup} group */
  group({ title, items }) {
    const rows = items.map((item) => this.item(item));
    if (!title) {
      return rows;
    }
    const text = `${title}: ${items.length === 1 ? "1 item" : `${items.length} items`}`;
    const confirm = element(
      "button",
      { onclick: () => this.handlers.confirm(items, text), title: "Show all of them, then confirm", tabIndex: -1 },
      "Confirm...",
    );
    const heading = element("h4", {}, text);
    return [element("div", { className: "group-head" }, heading, ...(this.state.mayAmend ? [confirm] : [])), ...rows];
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
        onclick: () => this.handlers.openItem(spot.key),
      },
      element("i", { style: `height:${height}%`, attributes: { "aria-hidden": "true" } }),
      this.portraits.image(spot.at, spot.box),
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
