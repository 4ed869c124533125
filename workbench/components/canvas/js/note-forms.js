/**
 * @import { Amendments } from "./amendments.js"
 * @import { Prompt } from "./prompt.js"
 * @import { TextField } from "./prompt-fields.js"
 * @import { ReviewState } from "./state.js"
 */

/** @type {TextField} */
const TEXT = {
  ...{ name: "reason", label: "Note", type: "text", first: true, required: true },
  missing: "Write what there is to say.",
};

/** Asks what a note says. Notes change no mask, so everybody who sees the run may write one. */
export class NoteForms {
  /**
   * @param {ReviewState} state
   * @param {{ amendments: Amendments, prompt: Prompt }} parts
   */
  constructor(state, { amendments, prompt }) {
    this.state = state;
    this.amendments = amendments;
    this.prompt = prompt;
  }

  /** Asks for a note on the item that is on the screen, else on the frame. */
  ask() {
    const { index, shownItem } = this.state;
    const title = shownItem ? `Note on: ${shownItem.label}, frame ${index}` : `Note on frame ${index}`;
    this.show(title, { frame: index, ...(shownItem ? { item: shownItem.key } : {}) });
  }

  /** Asks for a note on the whole run. */
  askOnRun() {
    this.show("Note on the whole run", {});
  }

  /**
   * @param {string} title
   * @param {{ frame?: number, item?: string }} place
   */
  show(title, place) {
    this.prompt.show({
      title,
      fields: [TEXT],
      save: ({ text }) => {
        this.amendments.tell({ note: { kind: "note", text: text("reason"), ...place } });
        return "";
      },
    });
  }

  /**
   * Says that a note is done.
   * @param {number} number
   */
  settle(number) {
    this.amendments.tell({ note: { kind: "done", note: number } });
  }
}
