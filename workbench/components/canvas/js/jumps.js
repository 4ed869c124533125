import { nextCut, nextFace, nextSpot, nextTrack } from "./targets.js";

/**
 * @import { Navigation } from "./navigation.js"
 * @import { ReviewState } from "./state.js"
 * @import { StatusLine } from "./status-line.js"
 * @import { Track } from "./types.js"
 */

/** Goes to spots, cuts and tracks, and chooses faces. */
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
   * Goes to the next open spot, or the one before.
   * @param {number} by 1 or -1
   */
  spotBy(by) {
    const spot = nextSpot(this.state.data.spots, this.state.spotKey, by);
    if (spot) {
      this.openSpot(spot.key);
    } else {
      this.status.say("No open spot is left.");
    }
  }

  /**
   * Goes to a spot.
   * @param {string} key
   */
  openSpot(key) {
    const spot = this.state.data.spots.find((one) => one.key === key);
    if (spot) {
      this.state.openSpot(spot);
      this.state.choose(spot.track);
      this.navigation.goTo(spot.at);
    }
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
      this.status.say("No face in this frame.");
    } else {
      this.status.say("This frame is on its way: choose a face when it shows.");
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
      this.status.say(by > 0 ? "No track begins after this." : "No track begins before this.");
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
      this.status.say("Choose a face first: click its box, or press f.");
    }
    return this.state.track;
  }
}
