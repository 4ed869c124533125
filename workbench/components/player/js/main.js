import { keep } from "../../shared/lifecycle.js";
import { Player } from "./player.js";

/**
 * @import { Host } from "../../shared/lifecycle.js"
 * @import { PlayerData } from "./player.js"
 */

/**
 * Shows videos; Streamlit calls this at every rerun, with the same element for as long as the page shows it.
 * @param {{ data: PlayerData, parentElement: Host }} component
 */
export default function player({ data, parentElement }) {
  return keep(parentElement, (/** @type {Player | null} */ shown) => {
    const kept = shown ?? new Player(parentElement);
    kept.update(data);
    return kept;
  });
}
