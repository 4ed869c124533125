"""Work in processes that a file may cost: a crash or a hang in native code ends in a sentence.

FFmpeg and OpenCV are native code that reads files from outside. No library is free of faults that a damaged or hostile
file can trigger, and such a fault ends the whole process. So no process that a person would miss, such as a server or a
notebook, decodes a file itself.
"""
