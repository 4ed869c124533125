import { element } from "../../shared/dom.js";

/** @import { Note, Rejection } from "./types.js" */

/**
 * @typedef {object} NoteHandlers
 * @property {(frame: number, track: number | null) => void} show
 * @property {(key: string) => void} openItem
 * @property {(number: number) => void} settle
 */

/** Shows why the run was sent back and which frames are meant, and the notes: the open ones first, newest first. */
export class NoteList {
  /**
   * @param {HTMLElement} place
   * @param {NoteHandlers} handlers
   */
  constructor(place, handlers) {
    this.place = place;
    this.handlers = handlers;
  }

  /**
   * Shows notes.
   * @param {Note[]} notes oldest first
   * @param {Rejection | null} rejection
   */
  draw(notes, rejection) {
    const newest = [...notes].reverse();
    const open = newest.filter((note) => !note.done_by);
    const done = newest.filter((note) => note.done_by);
    this.place.replaceChildren(
      toolbar(),
      ...(rejection ? [this.sentBack(rejection)] : []),
      ...open.map((note) => this.item(note)),
      ...(done.length ? [element("h4", { className: "quiet" }, "Done")] : []),
      ...done.map((note) => this.item(note)),
      ...(notes.length || rejection ? [] : [element("p", { className: "nothing" }, "No notes yet.")]),
    );
  }

  /** @param {Rejection} rejection */
  sentBack({ by, at, reason, frames }) {
    const links = frames.map((frame) =>
      element("button", { onclick: () => this.handlers.show(frame, null) }, `Frame ${frame}`),
    );
    return element(
      "div",
      { className: "amendment sent-back" },
      element("span", { className: "what" }, `Sent back: ${reason}`),
      element("span", { className: "quiet" }, `${by}, ${at}`),
      ...(links.length ? [element("div", { className: "choices links" }, ...links)] : []),
    );
  }

  /** @param {Note} note */
  item(note) {
    const attributes = { "aria-label": `Note ${note.number} is done` };
    return element(
      "div",
      { className: `amendment${note.done_by ? " undone" : ""}` },
      element(
        "button",
        { className: "go what", disabled: note.frame === null, onclick: () => this.open(note) },
        note.about,
      ),
      note.done_by
        ? element("span", { className: "quiet" }, `done by ${note.done_by}`)
        : element("button", { onclick: () => this.handlers.settle(note.number), attributes }, "Done"),
      element("span", { className: "words" }, note.text),
      element("span", { className: "quiet" }, `${note.by}, ${note.at}`),
    );
  }

  /** @param {Note} note */
  open({ item, frame }) {
    if (item !== null) {
      this.handlers.openItem(item);
    } else if (frame !== null) {
      this.handlers.show(frame, null);
    }
  }
}

function toolbar() {
  const make = (/** @type {string} */ command, /** @type {string} */ text, /** @type {string} */ title) =>
    element("button", { dataset: { do: command }, title }, text);
  return element(
    "div",
    { className: "deciding", attributes: { role: "toolbar", "aria-label": "Write a note" } },
    make("note", "Note on this frame", "Write a note on the item or the frame that is shown (N)"),
    make("noteOnRun", "Note on the run", "Write a note on the whole run"),
  );
}
