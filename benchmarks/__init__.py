"""What the README's figures come from. Run from the repository root.

    python -m benchmarks.pages OUT_DIR    write the synthetic pages as PDF or PNG with their texts
    python -m benchmarks.score A B        compare a recognized text with its reference
    python -m benchmarks.engine           CPU-seconds and character error of ours and its peers
    python -m benchmarks.service          the service: first delta, pages/s, memory, many streams
    python -m benchmarks.memory           resident memory of the engine over many varied pages
    python -m benchmarks.batches          batches: pages/s, cancels, fairness, 1,000 documents
    python -m benchmarks.batch_faults     what becomes of batches when everything breaks

None of this is part of the installed package.
"""

import ocr_grpc  # noqa: F401 - first, because it tells grpc what to do at forks
