"""The live page: attack a clip in the browser, hear it, send it through channels."""
