/**
 * Shapes of the data that the page and the server send to the canvas, and of what the canvas sends back.
 * They follow `workbench/views/review/canvas_data.py`, `workbench/server/frame_json.py`,
 * `workbench/server/assist.py` and `workbench/core/track_lanes.py`.
 */

/**
 * Edges in pixels of the picture as it is displayed.
 * @typedef {[left: number, top: number, right: number, bottom: number]} Box
 */

/**
 * @typedef {object} Size
 * @property {number} width
 * @property {number} height
 */

/**
 * A detector and its score.
 * @typedef {[detector: string, score: number]} Evidence
 */

/** @typedef {"detected" | "carried" | "interpolated" | "extended" | "reviewer"} Origin */

/**
 * @typedef {object} Face
 * @property {number} track
 * @property {Box} box
 * @property {Origin} origin
 * @property {Evidence[]} [seen]
 * @property {boolean} [visible] whether the person is kept visible
 */

/**
 * A possible face that is not masked.
 * @typedef {object} PossibleFace
 * @property {Box} box
 * @property {Evidence[]} seen
 */

/**
 * A face of the record whose mask a reviewer removed.
 * @typedef {object} RemovedFace
 * @property {number} track
 * @property {Box} box
 */

/**
 * @typedef {object} Frame
 * @property {number} i its index
 * @property {number} t its time in seconds
 * @property {Face[]} faces
 * @property {"reviewer" | "record"} [covered] who had the whole frame covered
 * @property {PossibleFace[]} [doubtful]
 * @property {RemovedFace[]} [removed]
 */

/**
 * An item to check; `stop` is the first frame after it.
 * @typedef {object} ReviewItem
 * @property {string} key
 * @property {string} kind
 * @property {string} label
 * @property {string} accept what confirming it says, as a button
 * @property {number | null} track
 * @property {number} start
 * @property {number} stop
 * @property {number} at the frame that shows it best
 * @property {Box | null} box
 * @property {string} reason
 * @property {number} risk
 * @property {"open" | "accepted" | "amended"} state
 */

/**
 * How many frames of a track in a row have one origin, by the origin's letter; "-" where it has no face.
 * @typedef {[letter: "d" | "i" | "e" | "r" | "-", length: number]} Run
 */

/**
 * @typedef {object} Track
 * @property {number} track
 * @property {number} start
 * @property {number} stop
 * @property {Run[]} runs
 */

/**
 * @typedef {object} Amendment
 * @property {number} number
 * @property {string} kind
 * @property {string} what
 * @property {number | null} frame
 * @property {number | null} track
 * @property {string} by
 * @property {string} at
 * @property {string} reason
 * @property {boolean} undone
 * @property {number | null} undoes number of the amendment that an undo takes back
 */

/** @typedef {[start: number, stop: number]} Span */

/**
 * @typedef {"stills" | "frames" | "seen" | "portraits" | "previews" | "people" | "assist" | "waveform"
 *   | "sound"} Service
 */

/**
 * @typedef {object} ReviewData
 * @property {string} run
 * @property {string} revision
 * @property {number} frames how many there are
 * @property {number} width
 * @property {number} height
 * @property {number} step seconds that a frame lasts
 * @property {string} style
 * @property {Record<Service, string>} urls
 * @property {{ frame: number | null, track: number | null }} at where to begin
 * @property {ReviewItem[]} spots
 * @property {number[]} cuts
 * @property {number[]} risk
 * @property {Track[]} tracks
 * @property {Amendment[]} amendments
 * @property {AudioSpan[]} audio
 * @property {Span[]} seen by the person who looks
 * @property {Span[]} seen_by_anybody
 * @property {{ amend: boolean, why: string }} rights
 * @property {Note[]} notes oldest first
 * @property {Rejection | null} rejection null unless the run was sent back last
 * @property {{ text: string, serial: number, bad: boolean, numbers: number[] } | null} message
 */

/** @typedef {[frame: number, box: Box]} Keyframe */

/**
 * @typedef {{ kind: "accept", spot: string }
 *   | { kind: "add", keyframes: Keyframe[] }
 *   | { kind: "resize", track: number, keyframes: Keyframe[] }
 *   | { kind: "delete" | "keep_visible" | "extend", track: number, start: number, stop: number }
 *   | { kind: "cover", start: number, stop: number }
 *   | { kind: "flag", frame: number, box: Box, places: FlaggedPlace[] }
 *   | { kind: "undo", amendment: number }} Action
 */

/**
 * @typedef {{ kind: "join" | "split", tracks: number[] }
 *   | { kind: "name", track: number, name: string }
 *   | { kind: "undo" }} PeopleAction
 */

/**
 * @typedef {{ kind: "note", text: string, frame?: number, item?: string }
 *   | { kind: "done", note: number }} NoteAction
 */

/**
 * A part of the sound that is muted or bleeped, in seconds from the first frame.
 * @typedef {{ kind: "mute" | "bleep", start: number, end: number, reason: string }} AudioSpan
 */

/**
 * @typedef {{ kind: "add", what: "mute" | "bleep", start: number, end: number, reason: string }
 *   | { kind: "remove", place: number }} AudioAction
 */

/**
 * @typedef {object} Note
 * @property {number} number
 * @property {string} text
 * @property {number | null} frame null: the whole run
 * @property {string | null} item key of the item to check that it is about
 * @property {string} about what it is about, in words
 * @property {string} by
 * @property {string} at
 * @property {string | null} done_by who said that it is done
 */

/**
 * Why the run was sent back, and the frames that are meant.
 * @typedef {{ by: string, at: string, reason: string, frames: number[] }} Rejection
 */

/** @typedef {{ frame: number, track: number, box: Box }} PersonFace */

/**
 * Tracks that show the same person.
 * @typedef {object} Person
 * @property {number[]} tracks in rising order; the first one names the person
 * @property {string[]} keys what is accepted when the masks are right, one for each track
 * @property {Span[]} spans first frame, and the first after it, of each track
 * @property {string} name empty if nobody gave one
 * @property {boolean} arranged whether a reviewer joined or split it
 * @property {PersonFace[]} faces
 * @property {Span[]} stretches
 * @property {"open" | "masked" | "visible" | "removed"} state
 */

/** @typedef {{ people: Person[], arranged: number }} PeopleAnswer */

/**
 * A face that was followed; `before` and `after` say why it is followed no further.
 * @typedef {{ state: "followed", keyframes: Keyframe[], before: string, after: string, reason: string }} FollowedFace
 */

/**
 * A place that looks like a chosen face; `frame` shows it best.
 * @typedef {{ start: number, stop: number, frame: number, box: Box, similarity: number }} FlaggedPlace
 */

/**
 * Places that look like a box; `left_off` less similar ones are not among them.
 * @typedef {{ state: "similar", frame: number, box: Box, places: FlaggedPlace[], left_off: number,
 *   detector: string | null }} SimilarPlaces
 */

/** @typedef {FollowedFace | SimilarPlaces} AssistResult */

/**
 * @typedef {AssistResult
 *   | { state: "working", done: number, total: number }
 *   | { state: "failed", sentence: string }} AssistAnswer
 */

/** @typedef {(name: string, value: unknown) => void} Trigger */

/** @typedef {"before" | "after" | "split"} View */

/**
 * A box as it is drawn over the picture.
 * @typedef {object} Outline
 * @property {Box} box
 * @property {number} track -1 for a possible face, -2 for the box that is being drawn
 * @property {Origin | "doubtful" | "draft" | "expected"} tone
 * @property {string} label
 * @property {string} short
 * @property {string} said its name for screen readers
 * @property {boolean} [chosen]
 * @property {boolean} [visible]
 * @property {boolean} [held] whether it has grips to resize it by
 */

export {};
