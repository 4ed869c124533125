import { element } from "../../shared/dom.js";
import { REASON } from "./amendment-forms.js";

/**
 * @import { Amendments } from "./amendments.js"
 * @import { AssistTask } from "./assist-task.js"
 * @import { BoxEditor } from "./box-editor.js"
 * @import { Portraits } from "./portraits.js"
 * @import { Prompt } from "./prompt.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { FlaggedPlace, SimilarPlaces } from "./types.js"
 */

/**
 * Finds places that look like a box and that no mask covers, shows them, and adds those that are ticked as items to
 * check. It masks nothing.
 */
export class SimilarSearch {
  /**
   * @param {ReviewState} state
   * @param {{ amendments: Amendments, editor: BoxEditor, portraits: Portraits, prompt: Prompt, status: StatusLine,
   *   task: AssistTask }} parts
   */
  constructor(state, { amendments, editor, portraits, prompt, status, task }) {
    this.state = state;
    this.amendments = amendments;
    this.editor = editor;
    this.portraits = portraits;
    this.prompt = prompt;
    this.status = status;
    this.task = task;
  }

  /** Searches for what is like the box that is drawn, the chosen face, the possible face or the item. */
  async begin() {
    const { state } = this;
    const box = state.subject ?? state.possibleFace?.box ?? null;
    if (!state.mayAmend) {
      this.status.say(state.data.rights.why || "You can view this run but not change it.", true);
      return;
    }
    if (state.draft?.followed) {
      this.status.say("Save the followed face first (Enter), then find more like it.");
      return;
    }
    if (!box || !state.isPainted) {
      this.status.say("Draw a box (d) or choose a face (f) first, then find others like it (q).");
      return;
    }
    const { run } = state.data;
    this.status.say("Looking for similar places...");
    try {
      const found = await this.task.run(
        { frame: state.index, box, wanted: "similar" },
        { isWanted: () => state.data.run === run, onProgress: (done, total) => this.tell(done, total) },
      );
      if (found?.state === "similar") {
        this.take(found);
      }
    } catch (error) {
      this.status.say(error instanceof Error ? error.message : String(error), true);
    }
  }

  /**
   * @param {number} done
   * @param {number} total
   */
  tell(done, total) {
    if (total) {
      this.status.say(`Looking for similar places: ${Math.floor((100 * done) / total)} % of the video.`);
    }
  }

  /** @param {SimilarPlaces} found */
  take(found) {
    const looked = found.detector ? "" : " No detector looked, too: its model is not there.";
    if (!found.places.length) {
      this.status.say(`No similar place was found that no mask covers.${looked}`);
      return;
    }
    const count = found.places.length === 1 ? "1 similar place" : `${found.places.length} similar places`;
    const more = found.left_off ? ` ${found.left_off} less similar ones are not shown: search again afterwards.` : "";
    this.status.say(`${count}, not masked.${more}${looked}`);
    const draft = this.state.draft;
    const ticks = found.places.map((place) => this.tick(place));
    this.prompt.show({
      title: `${count}, not masked. Those that are ticked become items to check; nothing is masked.${more}`,
      label: "Add to the items to check (Enter)",
      focus: false,
      after: () => {
        // The box that is drawn is still to be saved.
        if (draft && this.state.draft === draft) {
          this.editor.ask(draft);
        }
      },
      fields: [{ type: "preview", name: "places", preview: this.previewOf(ticks) }, REASON],
      save: ({ text }) => {
        const places = found.places.filter((_, place) => ticks[place].querySelector("input")?.checked);
        if (!places.length) {
          return "Tick a place, or cancel.";
        }
        this.amendments.send({ kind: "flag", frame: found.frame, box: found.box, places }, text("reason"));
        return "";
      },
    });
  }

  /** @param {HTMLElement[]} ticks */
  previewOf(ticks) {
    return element("div", { className: "preview" }, ...ticks);
  }

  /** @param {FlaggedPlace} place */
  tick({ start, stop, frame, box, similarity }) {
    const range = stop - start > 1 ? `frames ${start}–${stop - 1}` : `frame ${start}`;
    const name = `${range}, similarity ${similarity.toFixed(2)}`;
    return element(
      "label",
      { className: "tick" },
      element("input", { type: "checkbox", checked: true, ariaLabel: name }),
      this.portraits.image(frame, box),
      element("span", {}, name),
    );
  }
}
