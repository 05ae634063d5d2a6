// SPDX-License-Identifier: MIT
// Says what a server answers: java Fetch URL by java.net.http, java Fetch url URL by java.net.URL,
// java Fetch HOST PORT by a socket, java Fetch bound HOST PORT LOCALPORT by one with a port of its
// own, java Fetch unconnected HOST PORT by a datagram socket that is not connected.
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;

public class Fetch {
  public static void main(String[] words) throws Exception {
    System.out.print(
        switch (words.length) {
          case 1 -> byClient(words[0]);
          case 2 -> words[0].equals("url") ? byUrl(words[1]) : bySocket(words[0], words[1]);
          case 4 -> byBound(words[1], words[2], words[3]);
          default -> byDatagram(words[1], words[2]);
        });
  }

  private static String byUrl(String url) throws IOException {
    try (InputStream answer = new URL(url).openStream()) {
      return new String(answer.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  private static String byClient(String url) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
  }

  private static String bySocket(String host, String port) throws IOException {
    return answerOf(new Socket(host, Integer.parseInt(port)));
  }

  private static String byBound(String host, String port, String localPort) throws IOException {
    return answerOf(new Socket(host, Integer.parseInt(port), null, Integer.parseInt(localPort)));
  }

  private static String answerOf(Socket connected) throws IOException {
    try (Socket socket = connected) {
      socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      return answer.split("\r\n\r\n", 2)[1];
    }
  }

  private static String byDatagram(String host, String port) throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      InetAddress address = InetAddress.getByName(host);
      socket.send(new DatagramPacket(new byte[] {'?'}, 1, address, Integer.parseInt(port)));
      DatagramPacket answer = new DatagramPacket(new byte[200], 200);
      socket.receive(answer);
      return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII);
    }
  }
}
