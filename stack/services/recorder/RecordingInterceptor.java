import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;

/**
 * Writes every record down in the order in which a connector sends them, over all topics: brokers
 * keep that order for each partition only. The producer's option {@code recording.file} names the
 * file, which gets one line per record: topic, key, value and headers ({@code name:value,...}),
 * between tabs, each in base64 and {@code -} for null.
 */
public final class RecordingInterceptor implements ProducerInterceptor<byte[], byte[]> {
  private BufferedWriter file;

  @Override
  public void configure(Map<String, ?> options) {
    Object path = options.get("recording.file");
    if (path == null) return;
    try {
      file =
          Files.newBufferedWriter(
              Path.of(path.toString()),
              StandardCharsets.US_ASCII,
              StandardOpenOption.CREATE,
              StandardOpenOption.APPEND);
    } catch (IOException cause) {
      throw new UncheckedIOException(cause);
    }
  }

  @Override
  public synchronized ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> sent) {
    if (file == null) return sent;
    try {
      file.write(line(sent));
      file.flush();
    } catch (IOException cause) {
      throw new UncheckedIOException(cause);
    }
    return sent;
  }

  private static String line(ProducerRecord<byte[], byte[]> sent) {
    StringBuilder headers = new StringBuilder();
    for (Header header : sent.headers()) {
      if (!headers.isEmpty()) headers.append(',');
      headers.append(text(header.key().getBytes(StandardCharsets.UTF_8)));
      headers.append(':').append(text(header.value()));
    }
    String topic = text(sent.topic().getBytes(StandardCharsets.UTF_8));
    return topic + '\t' + text(sent.key()) + '\t' + text(sent.value()) + '\t' + headers + '\n';
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes);
  }

  @Override
  public void onAcknowledgement(RecordMetadata metadata, Exception exception) {}

  @Override
  public void close() {
    try {
      if (file != null) file.close();
    } catch (IOException cause) {
      throw new UncheckedIOException(cause);
    }
  }
}
