"""One file a page; Streamlit runs each as a script, so nothing imports them."""
