import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The shape of a Minecraft server on a JVM, without a game: answers the status and ping packets of the Java
 * edition on port 25565, ticks twenty times a second, writes a region file, unpacks a native library to
 * java.io.tmpdir and loads it, and on SIGTERM saves its world by an atomic rename.
 *
 * usage: java StatusServer [PORT [LIBRARY]]     in the directory of the world
 */
public final class StatusServer {
    private static final Path WORLD = Path.of("world");
    private static final AtomicLong TICKS = new AtomicLong();
    private static long loaded;

    public static void main(String[] arguments) throws Exception {
        int port = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 25565;
        Files.createDirectories(WORLD);
        // Two servers in one world would destroy it: the real one holds this lock too.
        FileChannel lock = FileChannel.open(WORLD.resolve("session.lock"), StandardOpenOption.CREATE,
            StandardOpenOption.WRITE);
        if (lock.tryLock() == null) throw new IOException("the world is in use");
        loaded = Files.exists(WORLD.resolve("level.dat"))
            ? Long.parseLong(Files.readString(WORLD.resolve("level.dat")).trim()) : 0;
        if (arguments.length > 1) loadUnpacked(Path.of(arguments[1]));
        Runtime.getRuntime().addShutdownHook(new Thread(StatusServer::save));

        ScheduledExecutorService ticker = Executors.newSingleThreadScheduledExecutor();
        ticker.scheduleAtFixedRate(StatusServer::tick, 0, 50, TimeUnit.MILLISECONDS);
        ExecutorService workers = Executors.newFixedThreadPool(2);
        try (ServerSocket server = new ServerSocket(port)) {
            Runtime here = Runtime.getRuntime();
            System.out.printf("Done! java %s, %d cpus, max heap %d MiB, host %s, %d ticks loaded%n",
                System.getProperty("java.version"), here.availableProcessors(), here.maxMemory() >> 20,
                InetAddress.getLocalHost().getHostName(), loaded);
            while (true) {
                Socket player = server.accept();
                workers.execute(() -> serve(player));
            }
        }
    }

    /** As Netty and JNA do: a library out of the jar becomes a file that is mapped executable. */
    private static void loadUnpacked(Path library) throws IOException {
        Path copy = Files.createTempFile("native", ".so");
        Files.copy(library, copy, StandardCopyOption.REPLACE_EXISTING);
        System.load(copy.toString());
        Files.delete(copy);
        System.out.println("native library loaded from " + copy.getParent());
    }

    private static void tick() {
        if (TICKS.incrementAndGet() % 20 != 0) return;
        try (RandomAccessFile region = new RandomAccessFile(WORLD.resolve("r.0.0.mca").toFile(), "rw")) {
            region.seek(4096 * (TICKS.get() / 20 % 16));
            region.write(new byte[4096]);
        } catch (IOException error) {
            System.err.println("cannot write the region: " + error);
        }
    }

    private static void save() {
        try {
            Path fresh = WORLD.resolve("level.dat_new");
            Files.writeString(fresh, (loaded + TICKS.get()) + "\n");
            Files.move(fresh, WORLD.resolve("level.dat"), StandardCopyOption.ATOMIC_MOVE);
            System.out.println("World saved at tick " + (loaded + TICKS.get()));
        } catch (IOException error) {
            System.err.println("cannot save the world: " + error);
        }
    }

    private static void serve(Socket player) {
        try (player) {
            player.setSoTimeout(5000);
            DataInputStream in = new DataInputStream(player.getInputStream());
            DataOutputStream out = new DataOutputStream(player.getOutputStream());
            readVarInt(in); // length of the handshake
            readVarInt(in); // packet 0
            int version = readVarInt(in);
            in.skipNBytes(readVarInt(in)); // the address that was typed
            in.readUnsignedShort();
            if (readVarInt(in) != 1) return; // only status, nobody can play here
            readVarInt(in);
            readVarInt(in); // an empty status request
            sendStatus(out, version);
            readVarInt(in);
            readVarInt(in); // ping
            long payload = in.readLong();
            ByteArrayOutputStream pong = new ByteArrayOutputStream();
            writeVarInt(pong, 1);
            new DataOutputStream(pong).writeLong(payload);
            send(out, pong);
        } catch (IOException hungUp) {
            // a player that leaves in the middle is nothing to tell
        }
    }

    private static void sendStatus(DataOutputStream out, int version) throws IOException {
        String status = "{\"version\":{\"name\":\"stand-in\",\"protocol\":" + version
            + "},\"players\":{\"max\":20,\"online\":0},\"description\":{\"text\":\"A Server\"}}";
        byte[] bytes = status.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        writeVarInt(packet, 0);
        writeVarInt(packet, bytes.length);
        packet.write(bytes);
        send(out, packet);
    }

    private static void send(DataOutputStream out, ByteArrayOutputStream packet) throws IOException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        writeVarInt(whole, packet.size());
        packet.writeTo(whole);
        out.write(whole.toByteArray());
        out.flush();
    }

    private static int readVarInt(DataInputStream in) throws IOException {
        int value = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            int part = in.readUnsignedByte();
            value |= (part & 0x7f) << shift;
            if ((part & 0x80) == 0) return value;
        }
        throw new IOException("a number that does not end");
    }

    private static void writeVarInt(ByteArrayOutputStream out, int value) {
        while ((value & ~0x7f) != 0) {
            out.write((value & 0x7f) | 0x80);
            value >>>= 7;
        }
        out.write(value);
    }
}
