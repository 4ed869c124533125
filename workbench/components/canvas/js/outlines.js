import { originOf, seenBy } from "./wording.js";

/**
 * @import { ReviewState } from "./state.js"
 * @import { Draft } from "./draft.js"
 * @import { Face, Outline, PossibleFace, RemovedFace } from "./types.js"
 */

/** Kinds of items whose place is drawn as what it is. */
const UNMASKED_KINDS = new Set(["doubtful", "removed"]);

/**
 * Lists the boxes that are drawn over a frame, those on top last.
 * @param {ReviewState} state
 * @returns {Outline[]}
 */
export function outlinesOf(state) {
  if (!state.isPainted) {
    return [];
  }
  const { current, draft } = state;
  const resizes = draft && !draft.adds ? draft.track : null;
  const faces = (current?.faces ?? []).filter((face) => face.track !== resizes);
  return [
    ...(current?.doubtful ?? []).map(ofPossibleFace),
    ...(current?.removed ?? []).map(ofRemovedFace),
    ...faces.map((face) => ofFace(face, face.track === state.chosen && !draft, state.mayAmend)),
    ...ofExpected(state),
    ...(draft ? ofDraft(draft, state.index) : []),
  ];
}

/**
 * Gives the place where the item expects a face that has no mask here, as before a track starts and after it ends.
 * @param {ReviewState} state
 * @returns {Outline[]}
 */
function ofExpected({ spot, index, current, draft }) {
  const isHere = spot?.box && index >= spot.start && index < spot.stop;
  const masked = current?.faces.some(({ track }) => track === spot?.track);
  if (!isHere || !spot?.box || masked || draft || UNMASKED_KINDS.has(spot.kind)) {
    return [];
  }
  const label = spot.track === null ? "look here" : `track ${spot.track} expected here`;
  return [{ box: spot.box, track: -1, tone: "expected", short: "look here", label, said: label }];
}

/**
 * @param {PossibleFace} possibleFace
 * @returns {Outline}
 */
function ofPossibleFace(possibleFace) {
  const seen = seenBy(possibleFace.seen);
  return {
    box: possibleFace.box,
    track: -1,
    tone: "doubtful",
    short: "not masked",
    label: `not masked · ${seen}`,
    said: `Possible face, not masked, ${seen}`,
  };
}

/**
 * @param {RemovedFace} removed
 * @returns {Outline}
 */
function ofRemovedFace({ box, track }) {
  return {
    box,
    track: -1,
    tone: "doubtful",
    short: "removed",
    label: `mask of ${track} removed`,
    said: `The mask of track ${track} was removed here`,
  };
}

/**
 * @param {Face} face
 * @param {boolean} chosen
 * @param {boolean} mayAmend
 * @returns {Outline}
 */
function ofFace(face, chosen, mayAmend) {
  const seen = face.seen ? seenBy(face.seen) : "";
  return {
    box: face.box,
    track: face.track,
    tone: face.origin,
    visible: face.visible,
    chosen,
    held: chosen && mayAmend,
    short: String(face.track),
    label: `${face.track} · ${face.visible ? "visible" : seen || face.origin}`,
    said: `Track ${face.track}, ${originOf(face)}${seen ? `, ${seen}` : ""}`,
  };
}

/**
 * @param {Draft} draft
 * @param {number} index
 * @returns {Outline[]}
 */
function ofDraft(draft, index) {
  const box = draft.box(index);
  if (!box) {
    return [];
  }
  /** @type {Pick<Outline, "box" | "track" | "chosen" | "held">} */
  const held = { box, track: -2, chosen: true, held: true };
  if (!draft.reaches(index)) {
    const label = "last place of the face, not masked here";
    return [{ ...held, tone: "expected", short: "not here", label, said: label }];
  }
  const label = draft.adds ? "new face" : `track ${draft.track}`;
  return [{ ...held, tone: "draft", short: "new", label, said: "Box that you are drawing" }];
}
