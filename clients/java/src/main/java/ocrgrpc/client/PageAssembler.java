package ocrgrpc.client;

import java.util.ArrayList;
import java.util.List;
import ocrgrpc.v1.Block;
import ocrgrpc.v1.Line;
import ocrgrpc.v1.Page;
import ocrgrpc.v1.PageFinished;
import ocrgrpc.v1.PageOutcome;
import ocrgrpc.v1.PageStarted;
import ocrgrpc.v1.TextDelta;
import ocrgrpc.v1.TextRetract;

/** Puts the text and the lines of one page together: those of its highest revision. */
final class PageAssembler {
  private final StringBuilder text = new StringBuilder();
  private final List<Line> lines = new ArrayList<>();
  private final List<Block> blocks = new ArrayList<>();
  private PageStarted started = PageStarted.getDefaultInstance();
  private int revision;

  void start(PageStarted event) {
    started = event;
  }

  void append(TextDelta delta) {
    if (isNewest(delta.getRevision())) {
      text.append(delta.getText());
      lines.addAll(delta.getLinesList());
      blocks.addAll(delta.getBlocksList());
    }
  }

  void retract(TextRetract retract) {
    int offset = retract.getOffset();
    if (!isNewest(retract.getRevision())) {
      return;
    }
    // Offsets count code points; Java's strings have UTF-16 units, two for a 😀.
    if (offset < text.codePointCount(0, text.length())) {
      text.setLength(text.offsetByCodePoints(0, offset));
    }
    dropLines(offset);
    blocks.removeIf(block -> block.getOffset() >= offset);
  }

  String text() {
    return text.toString();
  }

  Page finish(PageFinished event) {
    Page.Builder page =
        Page.newBuilder()
            .setPageNumber(event.getPageNumber())
            .setOutcome(event.getOutcome())
            .setText(event.getText())
            .setWidthPx(started.getWidthPx())
            .setHeightPx(started.getHeightPx())
            .setDpi(started.getDpi())
            .setUsage(event.getUsage())
            .setProvenance(event.getProvenance())
            .setReason(event.getReason())
            .setMessage(event.getMessage())
            .setTextFormat(event.getTextFormat())
            .setBlank(event.getBlank());
    if (event.getOutcome() != PageOutcome.PAGE_OUTCOME_FAILED) {
      page.addAllLines(lines).addAllBlocks(blocks);
    }
    return page.build();
  }

  /** Returns whether a revision is the highest so far; what lower ones said is dropped. */
  private boolean isNewest(int number) {
    if (number > revision) {
      revision = number;
      text.setLength(0);
      lines.clear();
      blocks.clear();
    }
    return number == revision;
  }

  /** Drops the lines that end beyond an offset. */
  private void dropLines(int offset) {
    int kept = 0;
    int end = 0;
    for (Line line : lines) {
      end += line.getText().codePointCount(0, line.getText().length());
      if (end > offset) {
        break;
      }
      kept++;
      end++; // at least one separating character
    }
    lines.subList(kept, lines.size()).clear();
  }
}
