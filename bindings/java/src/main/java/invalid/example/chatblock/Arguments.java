package invalid.example.chatblock;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;

/**
 * Memory for what a call takes and gives: texts as UTF-8 with a NUL, lists of them, room for answers. Each thread has
 * one that is used again and again, so that the hot path allocates nothing; it is free again when the call returns.
 */
final class Arguments {
    /** More than this is allocated for one call and not kept. */
    private static final int KEPT_BYTES = 1 << 16;

    /** Room for the address of a result, aligned: where the library leaves why it did not accept a call. */
    static final int ERROR_ROOM = 16;

    /** In place of an index: a text that is not an element of a list. */
    private static final int ALONE = -1;

    private static final ThreadLocal<Arguments> OF_THREAD = ThreadLocal.withInitial(() -> new Arguments(512));

    private final ByteBuffer memory;
    private final long address;
    private int used;

    private Arguments(int bytes) {
        memory = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        address = Pointer.nativeValue(Native.getDirectBufferPointer(memory));
    }

    /** Memory of at least so many bytes; what this thread got before is void. */
    static Arguments of(long bytes) {
        Arguments kept = OF_THREAD.get();
        if (kept.memory.capacity() < bytes) {
            kept = larger(bytes);
        }
        kept.used = 0;
        return kept;
    }

    /** Memory of its own, for a secret: to be wiped after the call. */
    static Arguments ofSecret(long bytes) {
        return new Arguments(checked(bytes));
    }

    private static Arguments larger(long bytes) {
        if (bytes > KEPT_BYTES) {
            return new Arguments(checked(bytes));
        }
        Arguments larger = new Arguments(Math.max(Integer.highestOneBit((int) bytes) * 2, 512));
        OF_THREAD.set(larger);
        return larger;
    }

    private static int checked(long bytes) {
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("the arguments take more than 2 GiB");
        }
        return (int) bytes;
    }

    /** A number as the library's unsigned 32 bits. */
    static int unsigned(String name, long number) {
        if (number < 0 || number > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException(name + " is not between 0 and 4294967295");
        }
        return (int) number;
    }

    /** The value, which is not null: an exception names the argument otherwise. */
    static <T> T present(String name, T value) {
        if (value == null) {
            throw new NullPointerException(name + " is null");
        }
        return value;
    }

    /** At most so many bytes does a text take. */
    static long room(String name, String text) {
        return room(present(name, text));
    }

    private static long room(String text) {
        return 3L * text.length() + 1;
    }

    /** At most so many bytes does a list take. */
    static long room(String[] texts) {
        long room = 8L + 8L * texts.length;
        for (String text : texts) {
            room += room(text);
        }
        return room;
    }

    /** A copy that nobody changes any more. */
    static String[] copy(String name, Collection<String> texts) {
        present(name, texts);
        String[] copy = texts.toArray(new String[0]);
        for (int i = 0; i < copy.length; i++) {
            if (copy[i] == null) {
                throw new NullPointerException(name + "[" + i + "] is null");
            }
        }
        return copy;
    }

    /** Writes a text, and says where. */
    long text(String name, String text) {
        return write(name, ALONE, text);
    }

    /** Writes a list of texts, and says where its array of pointers is. */
    long texts(String name, String[] texts) {
        int array = offset(8L * texts.length);
        for (int i = 0; i < texts.length; i++) {
            memory.putLong(array + 8 * i, write(name, i, texts[i]));
        }
        return address + array;
    }

    private long write(String name, int index, String text) {
        int start = used;
        used = encode(name, index, text, used);
        memory.put(used++, (byte) 0);
        return address + start;
    }

    /** Sets bytes aside, aligned for any number, and says where in {@link #memory} they begin. */
    int offset(long bytes) {
        int start = used + 7 & ~7;
        used = Math.toIntExact(start + bytes);
        return start;
    }

    /** The address of what begins there. */
    long at(int offset) {
        return address + offset;
    }

    ByteBuffer memory() {
        return memory;
    }

    /** After the call with a secret; it also keeps the memory alive until here. */
    void wipe() {
        for (int i = 0; i < memory.capacity(); i++) {
            memory.put(i, (byte) 0);
        }
    }

    private int encode(String name, int index, String text, int at) {
        int length = text.length();
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                if (c == 0) {
                    throw refused(name, index, "contains a NUL at index " + i);
                }
                memory.put(at++, (byte) c);
            } else if (c < 0x800) {
                memory.put(at++, (byte) (0xC0 | c >> 6));
                memory.put(at++, (byte) (0x80 | c & 0x3F));
            } else if (!Character.isSurrogate(c)) {
                memory.put(at++, (byte) (0xE0 | c >> 12));
                memory.put(at++, (byte) (0x80 | c >> 6 & 0x3F));
                memory.put(at++, (byte) (0x80 | c & 0x3F));
            } else {
                int point = text.codePointAt(i++);
                if (!Character.isSupplementaryCodePoint(point)) {
                    throw refused(name, index, "has an unpaired surrogate at index " + (i - 1));
                }
                memory.put(at++, (byte) (0xF0 | point >> 18));
                memory.put(at++, (byte) (0x80 | point >> 12 & 0x3F));
                memory.put(at++, (byte) (0x80 | point >> 6 & 0x3F));
                memory.put(at++, (byte) (0x80 | point & 0x3F));
            }
        }
        return at;
    }

    private static IllegalArgumentException refused(String name, int index, String why) {
        return new IllegalArgumentException((index == ALONE ? name : name + "[" + index + "]") + " " + why);
    }
}
