"""Plotly figures from DataFrames; needs no Streamlit."""
