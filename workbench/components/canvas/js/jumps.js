import { nextPerson } from "./people.js";
import { nextCut, nextFace, nextItem, nextTrack } from "./targets.js";

/**
 * @import { Navigation } from "./navigation.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { Person, PersonFace, Track } from "./types.js"
 */

/** Goes to items to check, cuts and tracks, and chooses faces. */
export class Jumps {
  /**
   * @param {ReviewState} state
   * @param {Navigation} navigation
   * @param {StatusLine} status
   */
  constructor(state, navigation, status) {
    this.state = state;
    this.navigation = navigation;
    this.status = status;
  }

  /**
   * Goes to the next open item, or the one before.
   * @param {number} by 1 or -1
   */
  itemBy(by) {
    const { items, itemKey, lastItemKey } = this.state;
    const spot = nextItem(items, itemKey ?? lastItemKey, by);
    if (spot) {
      this.openItem(spot.key);
    } else {
      this.status.say("Nothing is left to check.");
    }
  }

  /**
   * Goes to an item to check.
   * @param {string} key
   */
  openItem(key) {
    const spot = this.state.data.spots.find((one) => one.key === key);
    if (spot) {
      this.state.openItem(spot);
      this.state.choose(spot.track);
      this.navigation.goTo(spot.at);
    }
  }

  /**
   * Goes to the next person who is not decided, or the one before.
   * @param {number} by 1 or -1
   */
  personBy(by) {
    const { people, personKey } = this.state;
    const person = nextPerson(people, personKey, by);
    if (person) {
      this.openPerson(person, person.faces[0]);
    } else {
      this.status.say(people.length ? "Every person is decided." : "There are no cards of people.");
    }
  }

  /**
   * Goes to a face of a person.
   * @param {Person} person
   * @param {PersonFace} face
   */
  openPerson(person, face) {
    this.state.openPerson(person, face.track);
    this.navigation.goTo(face.frame);
  }

  /**
   * Goes to the next cut, or the one before.
   * @param {number} by 1 or -1
   */
  cutBy(by) {
    const cut = nextCut(this.state.data.cuts, this.state.index, by);
    if (cut === null) {
      this.status.say(by > 0 ? "No cut after this frame." : "No cut before this frame.");
    } else {
      this.navigation.goTo(cut);
    }
  }

  /**
   * Chooses the next face of the frame, or the one before.
   * @param {number} by 1 or -1
   */
  faceBy(by) {
    const { current, chosen, isPainted } = this.state;
    const track = nextFace(current?.faces ?? [], chosen, by);
    if (track !== null) {
      this.state.choose(track);
    } else if (isPainted) {
      this.status.say("No mask in this frame.");
    } else {
      this.status.say("The frame is still loading. Choose a face when it appears.");
    }
  }

  /**
   * Goes to the beginning of the next track, or of the one before.
   * @param {number} by 1 or -1
   */
  trackBy(by) {
    const { tracks, chosen, index } = this.state;
    const track = nextTrack(tracks.values(), chosen, index, by);
    if (track) {
      this.state.choose(track.track);
      this.navigation.goTo(track.start);
    } else {
      this.status.say(by > 0 ? "No track starts after this frame." : "No track starts before this frame.");
    }
  }

  /** Goes to the first frame of the chosen track. */
  trackStart() {
    const track = this.track();
    if (track) {
      this.navigation.goTo(track.start);
    }
  }

  /** Goes to the last frame of the chosen track. */
  trackEnd() {
    const track = this.track();
    if (track) {
      this.navigation.goTo(track.stop - 1);
    }
  }

  /**
   * Gives the chosen track, or chooses the only face of the frame; says so when there is none.
   * @returns {Track | null}
   */
  track() {
    const faces = this.state.current?.faces ?? [];
    if (this.state.chosen === null && faces.length === 1) {
      this.state.choose(faces[0].track);
    }
    if (!this.state.track) {
      this.status.say("Choose a face first: click its box or press f.");
    }
    return this.state.track;
  }
}
