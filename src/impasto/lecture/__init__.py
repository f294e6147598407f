"""The lecture: what neural style transfer is, part by part, computed with a content and a style; as data and as one page.

It knows no server and no Gradio: the studio shows the same page, and a notebook can write it into a file.
"""
