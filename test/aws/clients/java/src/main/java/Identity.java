import java.io.BufferedReader;
import java.io.InputStreamReader;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.sts.StsClient;

/** Says for each line of its input, as a line of JSON, who it is: a program as it would run in a container. */
final class Identity {
  public static void main(String[] arguments) throws Exception {
    // The credentials stay between lines, as in a program that runs on.
    StsClient client = null;
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    while (lines.readLine() != null) {
      try {
        if (client == null) {
          client = StsClient.builder().httpClient(UrlConnectionHttpClient.create()).build();
        }
        say("arn", client.getCallerIdentity().arn());
      } catch (Exception error) {
        say("error", error.getClass().getSimpleName() + ": " + error.getMessage());
      }
    }
  }

  private static void say(String name, String text) {
    StringBuilder quoted = new StringBuilder();
    for (char each : String.valueOf(text).toCharArray()) {
      quoted.append(each < ' ' || each > '~' || each == '"' || each == '\\' ? String.format("\\u%04x", (int) each) : each);
    }
    System.out.println("{\"" + name + "\":\"" + quoted + "\"}");
  }
}
