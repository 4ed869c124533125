/* Streamlit calls this at every rerun, with the same element for as long as the page shows it. */

const ENDING = 1500;

export default function review({ data, parentElement, setTriggerValue }) {
  if (!parentElement.viewer) parentElement.viewer = new Viewer(parentElement);
  const viewer = parentElement.viewer;
  clearTimeout(viewer.ending);
  viewer.update(data, setTriggerValue);
  return () => {
    viewer.ending = setTimeout(() => { viewer.end(); delete parentElement.viewer; }, ENDING);
  };
}
