"""In the renderer's place where a process that a test starts makes a report whose charts nobody looks at. They cost a second."""

raise ImportError("nothing is drawn here")
