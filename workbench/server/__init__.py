"""ASGI routes beside the Streamlit app: stills, files, JSON for the canvas."""
