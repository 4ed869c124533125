import { part } from "../../shared/dom.js";
import { AmendmentList } from "./amendment-list.js";
import { NoteList } from "./note-list.js";
import { ProgressSummary } from "./progress-summary.js";
import { ItemList } from "./item-list.js";
import { PeopleList } from "./people-list.js";

/**
 * @import { AmendmentHandlers } from "./amendment-list.js"
 * @import { ItemHandlers } from "./item-list.js"
 * @import { NoteHandlers } from "./note-list.js"
 * @import { People } from "./people.js"
 * @import { CardHandlers } from "./people-list.js"
 * @import { Portraits } from "./portraits.js"
 * @import { Seen } from "./progress-summary.js"
 * @import { ReviewState } from "./state.js"
 */

/** @typedef {"people" | "spots" | "amendments" | "notes"} Tab */

/** Shows how far the review is, and one of four lists: people, items to check, amendments, notes. */
export class SidePanel {
  /**
   * @param {ParentNode} root
   * @param {ReviewState} state
   * @param {Seen} seen
   * @param {{ people: People, portraits: Portraits }} parts
   * @param {AmendmentHandlers & ItemHandlers & NoteHandlers & { face: CardHandlers["show"] }} handlers
   */
  constructor(root, state, seen, { people, portraits }, handlers) {
    this.state = state;
    this.seen = seen;
    const find = (/** @type {Tab} */ name) => part(root, name, HTMLElement);
    this.lists = { people: find("people"), spots: find("spots"), amendments: find("amendments"), notes: find("notes") };
    this.summary = new ProgressSummary(part(root, "sum", HTMLElement));
    const shows = { show: handlers.face, openItem: handlers.openItem };
    this.people = new PeopleList(this.lists.people, state, { people, portraits }, shows);
    this.spots = new ItemList(this.lists.spots, state, portraits, handlers);
    this.amendments = new AmendmentList(this.lists.amendments, handlers);
    this.notes = new NoteList(this.lists.notes, handlers);
    /** @type {NodeListOf<HTMLElement>} */
    this.tabs = root.querySelectorAll("[data-tab]");
    state.events.on("itemsChanged", () => this.draw());
    state.events.on("peopleChanged", () => this.draw());
    state.events.on("personPicked", () => {
      this.choose("people");
      this.people.mark();
    });
    state.events.on("itemLeft", () => this.spots.mark(null));
    state.events.on("itemOpened", (spot) => {
      this.choose("spots");
      this.spots.mark(spot.key);
    });
    this.choose(state.data.rejection ? "notes" : "people");
  }

  /** Draws the lists. */
  draw() {
    const { notes, rejection } = this.state.data;
    const open = notes.filter((note) => !note.done_by).length;
    this.notes.draw(notes, rejection);
    for (const button of this.tabs) {
      if (button.dataset.tab === "notes") {
        button.textContent = open ? `Notes (${open})` : "Notes";
      }
    }
    this.people.draw();
    this.spots.draw();
    this.amendments.draw(this.state.data.amendments, this.state.mayAmend);
  }

  /** Draws how far the review is. */
  drawProgress() {
    this.summary.draw(this.state.data.spots, this.seen, this.state.count);
  }

  /** Marks the item and the person that are looked at. */
  mark() {
    this.people.mark();
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
