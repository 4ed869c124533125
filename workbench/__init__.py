"""The workbench: a Streamlit app over the engine. It wires and shows; every rule lives in engine/."""
