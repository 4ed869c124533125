import { redoTargets, undoTargets } from "./undo-targets.js";

/**
 * @import { SeenFrames } from "./seen-frames.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { Action, AudioAction, NoteAction, PeopleAction, Trigger } from "./types.js"
 */

/** Sends what a person changes to the page, which checks it, writes it down and shows what came of it. */
export class Amendments {
  /**
   * @param {ReviewState} state
   * @param {SeenFrames} seen
   * @param {StatusLine} status
   * @param {Trigger} trigger
   */
  constructor(state, seen, status, trigger) {
    this.state = state;
    this.seen = seen;
    this.status = status;
    this.trigger = trigger;
    this.serial = 0;
    /** @type {number[][]} numbers of amendments that were made together and are undone together */
    this.batches = [];
  }

  /**
   * Sends an amendment.
   * @param {Action} action
   * @param {string} [reason]
   */
  send(action, reason = "") {
    this.sendAll([action], reason);
  }

  /**
   * Sends several amendments, which are saved together.
   * @param {Action[]} actions
   * @param {string} [reason]
   */
  sendAll(actions, reason = "") {
    this.seen.tell();
    this.tell({ actions, reason });
  }

  /**
   * Has the cards of people arranged otherwise; no mask changes.
   * @param {PeopleAction} people
   */
  arrange(people) {
    this.tell({ people });
  }

  /**
   * @param {{ actions: Action[], reason: string } | { people: PeopleAction } | { note: NoteAction }
   *   | { audio: AudioAction }} what
   */
  tell(what) {
    const { revision, run } = this.state.data;
    this.serial += 1;
    this.trigger("act", { ...what, serial: this.serial, revision, run, frame: this.state.index });
    this.status.say("Saving...");
  }

  /**
   * Remembers which amendments were made together.
   * @param {number[]} numbers
   */
  remember(numbers) {
    if (numbers.length > 1) {
      this.batches.push(numbers);
    }
  }

  /** Tells whether an amendment can be begun, and says why not: a box that is being drawn comes first. */
  mayBegin() {
    if (!this.state.mayAmend) {
      this.status.say(this.state.data.rights.why || "You can view this run but not change it.", true);
      return false;
    }
    if (this.state.draft) {
      this.status.say("Save the box first (Enter), or discard it (Esc).", true);
      return false;
    }
    return true;
  }

  /**
   * Accepts the item that is on the screen: one that was looked at before, elsewhere, is not meant.
   * @returns {boolean} whether that was possible
   */
  accept() {
    if (!this.mayBegin()) {
      return false;
    }
    const spot = this.state.shownItem;
    if (spot?.state !== "open") {
      const isLoading = !this.state.isPainted && this.state.spot?.state === "open";
      this.status.say(
        isLoading
          ? "The frame is still loading. Confirm the item when it appears."
          : "No item to check is on the screen: press n for the next.",
      );
      return false;
    }
    // The queue goes on at once; the page's answer follows.
    spot.state = "accepted";
    this.send({ kind: "accept", spot: spot.key });
    this.state.events.emit("itemsChanged", undefined);
    return true;
  }

  /**
   * Undoes an amendment.
   * @param {number} number
   */
  undo(number) {
    if (this.mayBegin()) {
      this.send({ kind: "undo", amendment: number });
    }
  }

  /** Undoes what was done last and still counts. */
  undoLast() {
    this.takeBack(undoTargets(this.state.data.amendments, this.batches), "There is nothing to undo.");
  }

  /** Does again what was undone last, unless something else was done since. */
  redoLast() {
    this.takeBack(redoTargets(this.state.data.amendments, this.batches), "There is nothing to redo.");
  }

  /**
   * @param {number[]} numbers of amendments
   * @param {string} nothing what is said when there are none
   */
  takeBack(numbers, nothing) {
    if (!numbers.length) {
      this.status.say(nothing);
    } else if (this.mayBegin()) {
      this.sendAll(numbers.map((amendment) => ({ kind: "undo", amendment })));
    }
  }
}
