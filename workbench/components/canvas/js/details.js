import { element } from "../../shared/dom.js";
import { originOf } from "./wording.js";

/**
 * @import { ReviewState } from "./state.js"
 * @import { Track } from "./types.js"
 */

const COVERED = {
  record: "The whole frame is masked: it is damaged or was covered during the recording.",
  reviewer: "The whole frame is masked by a reviewer.",
};

/** Says what is chosen or what the frame holds, and offers what can be done about it. */
export class Details {
  /**
   * @param {HTMLElement} place
   * @param {ReviewState} state
   */
  constructor(place, state) {
    this.place = place;
    this.state = state;
    this.shown = "";
  }

  /** Says it anew if anything of it has changed, so that a button does not go from under the pointer. */
  draw() {
    const { index, painted, chosen, face, track, current, possibleFace, data, shownItem } = this.state;
    const shown = JSON.stringify([
      [index, painted, chosen, face, track, current?.covered, current?.faces.length],
      [possibleFace, data.revision, data.rights.amend, shownItem?.key, shownItem?.state],
    ]);
    if (shown === this.shown) {
      return;
    }
    this.shown = shown;
    const buttons = data.rights.amend ? this.buttons() : [];
    const spacer = buttons.length ? [element("span", { className: "spacer" })] : [];
    this.place.replaceChildren(...this.covered(), ...this.description(), ...spacer, ...buttons);
  }

  covered() {
    const by = this.state.current?.covered;
    return by ? [element("span", { className: "what" }, COVERED[by])] : [];
  }

  description() {
    const { track, isPainted, current } = this.state;
    if (track) {
      return this.descriptionOf(track);
    }
    if (!isPainted || current?.covered) {
      return [];
    }
    const count = current?.faces.length ?? 0;
    const faces = count === 1 ? "1 face" : `${count} faces`;
    const removed = current?.removed?.length ?? 0;
    const bare = removed ? ` ${removed === 1 ? "1 mask was" : `${removed} masks were`} removed here.` : "";
    const masked = count ? `${faces} in this frame.` : "No mask in this frame.";
    return [element("span", { className: "quiet" }, masked + bare)];
  }

  /** @param {Track} track */
  descriptionOf(track) {
    const face = this.state.face;
    const scores = face?.seen?.map(([name, score]) => `${name} ${score.toFixed(3)}`).join(", ");
    return [
      element("span", { className: "what" }, `Track ${track.track}`),
      element("span", { className: "quiet" }, `frames ${track.start}–${track.stop - 1}`),
      element("span", {}, face ? originOf(face) : "not in this frame"),
      ...(scores ? [element("span", { className: "quiet" }, scores)] : []),
    ];
  }

  buttons() {
    const { track, possibleFace, shownItem } = this.state;
    const made = [];
    if (track) {
      made.push(button("extend", "Extend", "Extend the track to another frame (e)"));
      made.push(button("visible", "Keep visible", "Do not mask this person (K)"));
      made.push(button("delete", "Remove", "Not a face: remove the mask (x)"));
    } else if (possibleFace) {
      made.push(button("draw", "Mask it", "Add a face at this place (d)"));
    }
    if (shownItem?.state === "open") {
      made.push(button("accept", shownItem.accept, "Record that you checked this item; changes no mask (a)", "main"));
    }
    return made;
  }
}

/**
 * @param {string} command
 * @param {string} text
 * @param {string} title
 * @param {string} [className]
 */
function button(command, text, title, className = "") {
  return element("button", { dataset: { do: command }, title, className }, text);
}
