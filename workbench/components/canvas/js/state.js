import { Events } from "./events.js";
import { itemsInOrder } from "./item-groups.js";

/**
 * @import { Draft } from "./draft.js"
 * @import { ItemView } from "./item-groups.js"
 * @import { Box, Face, Frame, Person, ReviewData, PossibleFace, ReviewItem, Track, View } from "./types.js"
 */

/**
 * What is told to the parts of the canvas.
 * @typedef {object} ReviewEvents
 * @property {void} changed something that is drawn has changed
 * @property {void} heightChanged there is more or less room for the picture
 * @property {number | null} chosen another track is chosen, or none
 * @property {ReviewItem} itemOpened an item to check is looked at
 * @property {void} itemLeft the item that was looked at is not on screen any more
 * @property {void} peopleChanged the people, or what was decided about them, has changed
 * @property {void} personPicked other people are chosen
 * @property {void} itemsChanged the state of an item to check has changed
 * @property {number} frameAsked a frame is about to be loaded
 * @property {number} framePainted a frame is on screen
 * @property {void} paused the video does not play any more
 * @property {number} frameSettled a frame is on screen, or will not come
 */

/** Holds what the page sent, where a person is, what is chosen and what is drawn. */
export class ReviewState {
  /** @param {ReviewData} data */
  constructor(data) {
    /** @type {Events<ReviewEvents>} */
    this.events = new Events();
    this.data = data;
    /** @type {Map<number, Track>} */
    this.tracks = new Map();
    this.index = 0;
    /** @type {number | null} the frame whose picture is on screen */
    this.painted = null;
    /** @type {Frame | null} the frame that was painted last */
    this.current = null;
    /** @type {number | null} the track that is chosen */
    this.chosen = null;
    /** @type {string | null} */
    this.itemKey = null;
    /** @type {string | null} the item that was looked at last, where the queue goes on */
    this.lastItemKey = null;
    /** @type {ItemView} */
    this.itemView = { grouping: "none", sorting: "risk", cause: "" };
    /** @type {Person[]} */
    this.people = [];
    /** @type {Set<number>} people whose cards are ticked, by their first track */
    this.pickedPeople = new Set();
    /** @type {number | null} the person that the keys decide about, by the first track */
    this.personKey = null;
    /** @type {Draft | null} */
    this.draft = null;
    /** @type {View} */
    this.view = "before";
    /** Of travel: 1 is on, -1 is back. */
    this.direction = 1;
    /** Times the speed of the video, below 0 while it plays back; 0 while nothing plays. */
    this.playing = 0;
    /** The speed that is chosen for playing. */
    this.speed = 1;
    /** Whether playing begins again at the end of an item or of the marked range. */
    this.looping = false;
    /** @type {number | null} first frame of the marked range */
    this.markIn = null;
    /** @type {number | null} last frame of the marked range */
    this.markOut = null;
    /** Whether a frame is being loaded. */
    this.waiting = false;
    /** Number of the latest request for a frame; what comes for an earlier one is out of date. */
    this.latestRequest = 0;
    this.receive(data);
  }

  /**
   * Takes over what the page sends.
   * @param {ReviewData} data
   */
  receive(data) {
    this.data = data;
    this.tracks = new Map(data.tracks.map((track) => [track.track, track]));
    if (!this.spot) {
      this.itemKey = null;
    }
  }

  /** Gives the number of frames. */
  get count() {
    return this.data.frames;
  }

  get mayAmend() {
    return this.data.rights.amend;
  }

  /** Tells whether the picture on screen is that of the frame one is at. */
  get isPainted() {
    return this.painted === this.index;
  }

  /** @returns {Face | null} the face of the chosen track */
  get face() {
    return this.faceOf(this.chosen);
  }

  /** @returns {Track | null} the chosen track */
  get track() {
    return this.chosen === null ? null : (this.tracks.get(this.chosen) ?? null);
  }

  /** @returns {ReviewItem | null} the item that is looked at */
  get spot() {
    return this.data.spots.find((spot) => spot.key === this.itemKey) ?? null;
  }

  /** Gives the items to check in the order that is shown. */
  get items() {
    return itemsInOrder(this.data.spots, this.itemView);
  }

  /** Gives those whom a decision is about: the ticked cards, else the current one. */
  get chosenPeople() {
    const keys = this.pickedPeople.size ? this.pickedPeople : new Set([this.personKey]);
    return this.people.filter(({ tracks }) => keys.has(tracks[0]));
  }

  /**
   * Takes over the people.
   * @param {Person[]} people
   */
  takePeople(people) {
    const keys = new Set(people.map(({ tracks }) => tracks[0]));
    this.people = people;
    this.pickedPeople = new Set([...this.pickedPeople].filter((key) => keys.has(key)));
    this.personKey = this.personKey !== null && keys.has(this.personKey) ? this.personKey : null;
  }

  /**
   * Ticks a card, or takes the tick away.
   * @param {number} key
   */
  pickPerson(key) {
    if (!this.pickedPeople.delete(key)) {
      this.pickedPeople.add(key);
    }
    this.events.emit("personPicked", undefined);
  }

  /**
   * Looks at a person.
   * @param {Person} person
   * @param {number} track of the person
   */
  openPerson({ tracks }, track) {
    this.leaveItem();
    this.choose(track);
    this.pickedPeople.clear();
    this.personKey = tracks[0];
    this.events.emit("personPicked", undefined);
  }

  /**
   * Gives the item that is looked at while it is on the screen: in one of its frames, and no other track is chosen.
   * @returns {ReviewItem | null}
   */
  get shownItem() {
    const spot = this.spot;
    if (!spot || !this.isPainted || (this.index !== spot.at && (this.index < spot.start || this.index >= spot.stop))) {
      return null;
    }
    return this.chosen === null || this.chosen === spot.track ? spot : null;
  }

  /**
   * Gives what is looked at: the box that is drawn, the chosen face, or what the item is about.
   * @returns {Box | null}
   */
  get subject() {
    const box = this.draft?.box(this.index) ?? this.face?.box;
    if (box) {
      return box;
    }
    const spot = this.spot;
    return spot && this.index >= spot.start && this.index < spot.stop ? spot.box : null;
  }

  /**
   * Gives a possible face of this frame that no mask covers: what the item is about, else the first.
   * @returns {PossibleFace | null}
   */
  get possibleFace() {
    const found = (this.isPainted && this.current?.doubtful) || [];
    const meant = this.spot?.at === this.index ? this.spot.box : null;
    const isMeant = (/** @type {PossibleFace} */ one) =>
      meant !== null && one.box.every((edge, place) => Math.abs(edge - meant[place]) < 1);
    return found.find(isMeant) ?? found[0] ?? null;
  }

  /**
   * Finds the face of a track in the frame that was painted last.
   * @param {number | null} track
   * @returns {Face | null}
   */
  faceOf(track) {
    return this.current?.faces.find((face) => face.track === track) ?? null;
  }

  /**
   * Chooses a track; a possible face that is not covered belongs to none and changes nothing.
   * @param {number | null} track
   */
  choose(track) {
    if (track === -1) {
      return;
    }
    this.chosen = track;
    this.personKey = null;
    this.events.emit("chosen", track);
  }

  /**
   * Looks at an item to check.
   * @param {ReviewItem} spot
   */
  openItem(spot) {
    this.itemKey = spot.key;
    this.lastItemKey = spot.key;
    this.personKey = null;
    this.events.emit("itemOpened", spot);
  }

  /** Does not look at the item any more. */
  leaveItem() {
    if (this.itemKey !== null) {
      this.itemKey = null;
      this.events.emit("itemLeft", undefined);
    }
  }

  /** Has everything drawn again. */
  changed() {
    this.events.emit("changed", undefined);
  }
}
