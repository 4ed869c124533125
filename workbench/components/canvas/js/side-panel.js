import { part } from "../../shared/dom.js";
import { AmendmentList } from "./amendment-list.js";
import { ProgressSummary } from "./progress-summary.js";
import { ItemList } from "./item-list.js";

/**
 * @import { AmendmentHandlers } from "./amendment-list.js"
 * @import { Seen } from "./progress-summary.js"
 * @import { ReviewState } from "./state.js"
 */

/** @typedef {"spots" | "amendments"} Tab */

/** Shows how far the review is, and one of two lists: the queue of items to check, or the amendments. */
export class SidePanel {
  /**
   * @param {ParentNode} root
   * @param {ReviewState} state
   * @param {Seen} seen
   * @param {AmendmentHandlers & { openItem: (key: string) => void }} handlers
   */
  constructor(root, state, seen, handlers) {
    this.state = state;
    this.seen = seen;
    this.lists = { spots: part(root, "spots", HTMLElement), amendments: part(root, "amendments", HTMLElement) };
    this.summary = new ProgressSummary(part(root, "sum", HTMLElement));
    this.spots = new ItemList(this.lists.spots, handlers.openItem);
    this.amendments = new AmendmentList(this.lists.amendments, handlers);
    /** @type {NodeListOf<HTMLElement>} */
    this.tabs = root.querySelectorAll("[data-tab]");
    state.events.on("itemsChanged", () => this.draw());
    state.events.on("itemOpened", (spot) => {
      this.choose("spots");
      this.spots.mark(spot.key);
    });
    this.choose("spots");
  }

  /** Draws the lists. */
  draw() {
    this.spots.draw(this.state.data.spots);
    this.amendments.draw(this.state.data.amendments, this.state.mayAmend);
  }

  /** Draws how far the review is. */
  drawProgress() {
    this.summary.draw(this.state.data.spots, this.seen, this.state.count);
  }

  /** Marks the item that is looked at. */
  mark() {
    this.spots.mark(this.state.itemKey);
  }

  /**
   * Shows one of the lists.
   * @param {Tab} tab
   */
  choose(tab) {
    for (const button of this.tabs) {
      button.setAttribute("aria-selected", String(button.dataset.tab === tab));
    }
    for (const [name, list] of Object.entries(this.lists)) {
      list.hidden = name !== tab;
    }
  }
}
